// A reader's vote on answers that several models gave to the same question. Pure data.
import * as v from "valibot";

export const Vote = v.object({
  /** Milliseconds since 1970. */
  at: v.number(),
  question: v.string(),
  pictures: v.number(),
  answers: v.array(
    v.object({
      model: v.string(),
      host: v.exactOptional(v.string()),
      text: v.string(),
      failed: v.exactOptional(v.literal(true)),
    }),
  ),
  /** Index of the best answer, which is none that failed, or that none is better, or that none is good. */
  verdict: v.union([v.number(), v.literal("tie"), v.literal("none")]),
});
export type Vote = v.InferOutput<typeof Vote>;
export type Verdict = Vote["verdict"];

/** Older votes are forgotten. */
export const mostVotes = 200;

/** The votes in a backup; none where there are none that can be read. */
export function parseVotes(json: unknown): readonly Vote[] {
  const parsed = v.safeParse(v.array(Vote), json);
  return parsed.success ? parsed.output.slice(-mostVotes) : [];
}

/** The votes as the text of a JSON file. */
export function exportVotes(votes: readonly Vote[]): string {
  return JSON.stringify({ version: 1, votes }, undefined, 1);
}
