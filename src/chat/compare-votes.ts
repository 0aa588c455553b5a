// Votes of comparisons: kept beside the preferences, the newest two hundred, and exported as JSON. Knows no page, no keys of servers.
import * as v from "valibot";
import type { CompareColumn } from "./compare.ts";
import type { PreferenceStorage } from "./preferences.ts";

const Vote = v.object({
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

const Kept = v.object({ version: v.literal(1), votes: v.array(Vote) });
const storageKey = "llava-web-votes";
const mostVotes = 200;

/** What was kept, oldest first; none when nothing readable was. */
export function readVotes(storage: () => PreferenceStorage): readonly Vote[] {
  try {
    const text = storage().getItem(storageKey);
    const parsed = v.safeParse(Kept, text === null ? undefined : JSON.parse(text));
    return parsed.success ? parsed.output.votes : [];
  } catch {
    // A browser that keeps nothing has no votes.
    return [];
  }
}

/** Keeps one more and gives them all. */
export function addVote(storage: () => PreferenceStorage, vote: Vote): readonly Vote[] {
  const votes = [...readVotes(storage), vote].slice(-mostVotes);
  try {
    storage().setItem(storageKey, exportVotes(votes));
  } catch {
    // As above: it counts for this visit.
  }
  return votes;
}

/** Adds those that are not here yet, such as a backup's. */
export function mergeVotes(storage: () => PreferenceStorage, votes: readonly Vote[]): void {
  const here = readVotes(storage);
  const known = new Set(here.map(({ at, question }) => `${at} ${question}`));
  const added = votes.filter(({ at, question }) => !known.has(`${at} ${question}`));
  if (added.length === 0) return;
  const all = [...here, ...added].sort((a, b) => a.at - b.at).slice(-mostVotes);
  try {
    storage().setItem(storageKey, exportVotes(all));
  } catch {
    // As above.
  }
}

/** The votes in a backup; none where there are none that can be read. */
export function parseVotes(json: unknown): readonly Vote[] {
  const parsed = v.safeParse(v.array(Vote), json);
  return parsed.success ? parsed.output.slice(-mostVotes) : [];
}

/** The votes as the text of a JSON file. */
export function exportVotes(votes: readonly Vote[]): string {
  return JSON.stringify({ version: 1, votes }, undefined, 1);
}

/** Whether an answer can be voted for: a model that failed, or said nothing, has given none. */
export function canWin({ failure, text }: CompareColumn["turn"]): boolean {
  return failure === undefined && text.trim() !== "";
}

/** What is kept of a comparison that has ended. */
export function toVote(
  columns: readonly CompareColumn[],
  asked: { readonly question: string; readonly pictures: number },
  verdict: Verdict,
  at: number,
): Vote {
  const answers = columns.map(({ choice: { name, host }, turn }) => ({
    model: name,
    ...(host === undefined ? {} : { host }),
    text: turn.text,
    ...(turn.failure === undefined ? {} : { failed: true as const }),
  }));
  return { at, ...asked, answers, verdict };
}
