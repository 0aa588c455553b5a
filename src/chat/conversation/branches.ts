// Conversations as trees: editing a question or asking for another answer puts what was there aside, and nothing is lost.
// Pure: every function returns a new conversation.
import type { AssistantTurn, Branch, Conversation, Picture, Turn, UserTurn } from "./conversation.ts";

/** Which of how many alternatives is shown at a turn's place; `index` counts from 0. */
export interface Alternatives {
  readonly index: number;
  readonly count: number;
}

const placeOf = (conversation: Conversation, index: number): string => conversation.turns[index - 1]?.id ?? "";
/** By age; two tabs may have asked in the same millisecond. */
function inOrder(a: Turn | undefined, b: Turn | undefined): number {
  return (a?.at ?? 0) - (b?.at ?? 0) || (a?.id ?? "").localeCompare(b?.id ?? "");
}

/** The branches beside the turn at this index, oldest first. */
function branchesAt(conversation: Conversation, index: number): readonly Branch[] {
  const after = placeOf(conversation, index);
  return (conversation.branches ?? [])
    .filter((branch) => branch.after === after)
    .sort((a, b) => inOrder(a.turns[0], b.turns[0]));
}

/** Where the turn stands among its alternatives; a turn without any is the first of one. */
export function alternativesOf(conversation: Conversation, turnId: string): Alternatives {
  const index = conversation.turns.findIndex((turn) => turn.id === turnId);
  const turn = conversation.turns[index];
  if (turn === undefined) return { index: 0, count: 1 };
  const others = branchesAt(conversation, index);
  const older = others.filter((branch) => inOrder(branch.turns[0], turn) < 0).length;
  return { index: older, count: others.length + 1 };
}

/** The turn and its alternatives. */
export function versionsOf(conversation: Conversation, turnId: string): readonly Turn[] {
  const index = conversation.turns.findIndex((turn) => turn.id === turnId);
  return [
    ...conversation.turns.slice(index, index + 1),
    ...branchesAt(conversation, index).flatMap(({ turns }) => turns[0] ?? []),
  ];
}

/** Puts the turn and all that follows aside, and `replacement` in its place. */
export function branchFrom(conversation: Conversation, turnId: string, replacement: readonly Turn[]): Conversation {
  const index = conversation.turns.findIndex((turn) => turn.id === turnId);
  if (index < 0) return conversation;
  const aside: Branch = { after: placeOf(conversation, index), turns: conversation.turns.slice(index) };
  return {
    ...conversation,
    turns: [...conversation.turns.slice(0, index), ...replacement],
    branches: [...(conversation.branches ?? []), aside],
  };
}

/** Pages to another alternative at the turn's place; the first and the last have nothing beyond them. */
export function showAlternative(conversation: Conversation, turnId: string, step: -1 | 1): Conversation {
  const index = conversation.turns.findIndex((turn) => turn.id === turnId);
  if (index < 0) return conversation;
  const current = alternativesOf(conversation, turnId).index;
  const others = branchesAt(conversation, index);
  const wanted = others[step < 0 ? current - 1 : current];
  if (wanted === undefined) return conversation;
  const swapped = branchFrom(conversation, turnId, wanted.turns);
  return { ...swapped, branches: (swapped.branches ?? []).filter((branch) => branch !== wanted) };
}

/** Takes a question and its answer out; what follows stays, and so do other wordings of what stands around it. */
export function removePair(conversation: Conversation, questionId: string): Conversation {
  const index = conversation.turns.findIndex((turn) => turn.id === questionId);
  if (conversation.turns[index]?.role !== "user") return conversation;
  const answer = conversation.turns[index + 1];
  const removed = conversation.turns.slice(index, answer?.role === "assistant" ? index + 2 : index + 1);
  const before = placeOf(conversation, index);
  const lastId = removed.at(-1)?.id;
  const rest = conversation.turns.slice(index + removed.length);
  const branches = (conversation.branches ?? []).flatMap((branch): Branch[] => {
    // Other ways to go on after the pair now go on from where it stood; other answers to its question go with it.
    if (branch.after === lastId) return [{ ...branch, after: before }];
    return removed.some((turn) => turn.id === branch.after) ? [] : [branch];
  });
  const changed = { ...conversation, turns: [...conversation.turns.slice(0, index), ...rest], branches };
  if (!removed.some((turn) => turn.id === conversation.memoryStart)) return changed;
  return { ...changed, memoryStart: rest[0]?.id };
}

/** The conversation with one of its turns changed, wherever it stands. */
export function changeTurn(
  conversation: Conversation,
  turnId: string,
  change: (turn: AssistantTurn) => AssistantTurn,
): Conversation {
  return mapTurns(conversation, (turn) => (turn.id === turnId && turn.role === "assistant" ? change(turn) : turn));
}

/** The same tree with every turn mapped. */
export function mapTurns(conversation: Conversation, map: (turn: Turn) => Turn): Conversation {
  return {
    ...conversation,
    turns: conversation.turns.map(map),
    ...(conversation.branches === undefined
      ? {}
      : { branches: conversation.branches.map((branch) => ({ ...branch, turns: branch.turns.map(map) })) }),
  };
}

/** Every turn of the tree. */
export function allTurns(conversation: Conversation): Turn[] {
  return [...conversation.turns, ...(conversation.branches ?? []).flatMap((branch) => branch.turns)];
}

/** Every question of the tree. */
function allQuestions(conversation: Conversation): UserTurn[] {
  return allTurns(conversation).filter((turn) => turn.role === "user");
}

/** Every picture of the tree, as often as it is shown. */
export function allPictures(conversation: Conversation): Picture[] {
  return allQuestions(conversation).flatMap((turn) => turn.pictures);
}
