// Tells which of the given files are for the import. Small, because the page asks it of everything that is dropped.

/** Whether a file may hold conversations, by its name: then it is for `importFiles`, with everything that was given beside it. */
export function mayHoldConversations(file: Pick<File, "name">): boolean {
  return /\.(?:json|jsonl|zip)$/i.test(file.name);
}
