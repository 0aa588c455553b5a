// Limits on one conversation in a file, for every reader. Data only.
export const sampleLimits = {
  /** Of one conversation as JSON, in UTF-16 units; a backup is one such value. */
  jsonLength: 64 * 2 ** 20,
  jsonDepth: 256,
  turns: 2000,
  pictures: 500,
  /** Of one turn, in UTF-16 units. */
  textLength: 200_000,
  pathLength: 1000,
} as const;
