// Joins two states of one conversation so that nothing of either is lost: those of two tabs, or one that was deleted or backed up and the
// current one. Pure.
import { allTurns, mapTurns } from "./branches.ts";
import type { AssistantTurn, Branch, Conversation, Turn } from "./conversation.ts";

/**
 * Our conversation with everything that only theirs has. Turns that only theirs has, and turns with one id that say something else there,
 * become alternatives. Our path stays the shown one; where it ends and theirs goes on, theirs is appended. Joining the same conversation
 * once more changes nothing.
 */
export function joinConversations(ours: Conversation, theirsAsGiven: Conversation): Conversation {
  const theirs = renameConflicts(theirsAsGiven, new Map(allTurns(ours).map((turn) => [turn.id, turn])));
  const theirTurns = new Map(allTurns(theirs).map((turn) => [turn.id, turn]));
  // A title that was given there is taken over.
  const named = ours.title === undefined && theirs.title !== undefined ? { ...ours, title: theirs.title } : ours;
  const joined = mapTurns(named, (turn) => joinTurn(turn, theirTurns.get(turn.id)));
  const known = new Set(allTurns(ours).map((turn) => turn.id));
  const added: Branch[] = [];
  // Branches come last, because they follow turns that the longer path may bring along.
  for (const path of [{ after: "", turns: theirs.turns }, ...(theirs.branches ?? [])]) {
    const first = path.turns.findIndex((turn) => !known.has(turn.id));
    if (first < 0) continue;
    const turns = path.turns.slice(first).filter((turn) => !known.has(turn.id));
    const after = path.turns[first - 1]?.id ?? path.after;
    const whole = known.has(after) || after === "" || added.some((branch) => branch.turns.some((t) => t.id === after));
    added.push({ after: whole ? after : "", turns });
    for (const turn of turns) known.add(turn.id);
  }
  if (added.length === 0) return joined;
  const next = added.find((branch) => branch.after === joined.turns.at(-1)?.id);
  return {
    ...joined,
    turns: [...joined.turns, ...(next?.turns ?? [])],
    branches: [...(joined.branches ?? []), ...added.filter((branch) => branch !== next)],
  };
}

/**
 * The other tab's conversation with new ids for its turns that differ from this tab's turns of the same ids. The new ids are the same every
 * time.
 */
function renameConflicts(theirs: Conversation, ours: ReadonlyMap<string, Turn>): Conversation {
  const renamed = new Map<string, string>();
  const rename = (path: readonly Turn[]): void => {
    for (const [index, turn] of path.entries()) {
      const mine = ours.get(turn.id);
      if (mine === undefined || !isConflict(mine, turn)) continue;
      const suffix = `~${hash(turn.text)}`;
      renamed.set(turn.id, turn.id + suffix);
      // An answer to a different question is a different answer.
      const answer = path[index + 1];
      if (turn.role === "user" && answer !== undefined && ours.has(answer.id))
        renamed.set(answer.id, answer.id + suffix);
    }
  };
  for (const path of [theirs.turns, ...(theirs.branches ?? []).map(({ turns }) => turns)]) rename(path);
  if (renamed.size === 0) return theirs;
  const apart = mapTurns(theirs, (turn) => ({ ...turn, id: renamed.get(turn.id) ?? turn.id }));
  return {
    ...apart,
    branches: (apart.branches ?? []).map((branch) => ({ ...branch, after: renamed.get(branch.after) ?? branch.after })),
  };
}

/** Whether two turns with the same id can't be two states of one turn. */
function isConflict(ours: Turn, theirs: Turn): boolean {
  if (ours.role !== theirs.role) return true;
  if (ours.text === theirs.text) return false;
  if (ours.role === "user" || theirs.role === "user") return true;
  if (isUnderWay(ours) || isUnderWay(theirs)) return false;
  const [shorter, longer] = ours.text.length < theirs.text.length ? [ours, theirs] : [theirs, ours];
  // The longer one may be a continuation of an answer that was cut off.
  const isWhole = shorter.status === "done" && shorter.reason !== "length";
  return isWhole || !longer.text.startsWith(shorter.text.trimEnd());
}

const isUnderWay = ({ status }: AssistantTurn): boolean => status === "queued" || status === "running";

function joinTurn(ours: Turn, theirs: Turn | undefined): Turn {
  if (theirs === undefined) return ours;
  if (ours.role === "assistant") return theirs.role === "assistant" ? furtherOf(ours, theirs) : ours;
  // A picture that was lost on one side is brought back from the other.
  return theirs.role === "user" && theirs.pictures.length > ours.pictures.length
    ? { ...ours, pictures: theirs.pictures }
    : ours;
}

/** The later of two states of one answer: the one that has ended, else the longer one. */
function furtherOf(ours: AssistantTurn, theirs: AssistantTurn): AssistantTurn {
  const rank = { queued: 0, running: 1, failed: 2, stopped: 3, done: 4 };
  const difference = rank[theirs.status] - rank[ours.status];
  return difference > 0 || (difference === 0 && theirs.text.length > ours.text.length) ? theirs : ours;
}

/** A short hash that tells texts apart; not for security. */
function hash(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}
