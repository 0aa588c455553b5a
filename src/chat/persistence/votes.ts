// The newest votes, in the browser's localStorage.
import * as v from "valibot";
import { exportVotes, mostVotes, Vote } from "#chat/conversation/vote.ts";
import { readLocal, writeLocal, type GetStorage } from "#chat/local-storage.ts";

const StoredVotes = v.object({ version: v.literal(1), votes: v.array(Vote) });
const storageKey = "llava-web-votes";

/** The stored votes, oldest first. */
export function readVotes(storage: GetStorage): readonly Vote[] {
  return readLocal(storage, storageKey, StoredVotes)?.votes ?? [];
}

/** Stores one more and gives them all. */
export function addVote(storage: GetStorage, vote: Vote): readonly Vote[] {
  const votes = [...readVotes(storage), vote].slice(-mostVotes);
  writeLocal(storage, storageKey, exportVotes(votes));
  return votes;
}

/** Adds those that are not stored yet, such as a backup's. */
export function mergeVotes(storage: GetStorage, votes: readonly Vote[]): void {
  const here = readVotes(storage);
  const known = new Set(here.map(({ at, question }) => `${at} ${question}`));
  const added = votes.filter(({ at, question }) => !known.has(`${at} ${question}`));
  if (added.length === 0) return;
  const all = [...here, ...added].sort((a, b) => a.at - b.at).slice(-mostVotes);
  writeLocal(storage, storageKey, exportVotes(all));
}
