// Estimates how much of the model's context a conversation takes, and which turns to leave out when it takes too much. Only the model's
// tokenizer knows exactly; what it has counted is taken from the last answer.
import type { Conversation, Picture, Turn } from "./conversation.ts";
import { picturesCarriedOver, turnsInMemory } from "./conversation.ts";

/** Sizes of the loaded model, in tokens. */
interface MemorySize {
  readonly contextLength: number;
  readonly imageTokens: number;
}

export interface Budget {
  readonly usedTokens: number;
  readonly contextLength: number;
  /** "full" when the answer would have no room left. */
  readonly state: "enough" | "tight" | "full";
  /** Whether leaving out older turns would help. */
  readonly canForget: boolean;
}

/** The system prompt, and the role names around every turn. */
const openingTokens = 40;
const turnTokens = 8;
/** An answer needs at least this many tokens: a sixteenth of the context, between 16 and 256. */
const answerRoom = (contextLength: number): number => Math.min(256, Math.max(16, contextLength / 16));

/** Rather too many than too few: small vocabularies split words often, and other scripts into bytes. */
export function estimateTextTokens(text: string): number {
  let tokens = 0;
  for (const character of text) tokens += (character.codePointAt(0) ?? 0) < 0x250 ? 0.34 : 1.5;
  return Math.ceil(tokens);
}

const turnCost = (turn: Turn, imageTokens: number): number =>
  turnTokens + estimateTextTokens(turn.text) + (turn.role === "user" ? turn.pictures.length * (imageTokens + 2) : 0);

function costOf(conversation: Pick<Conversation, "turns" | "memoryStart">, size: MemorySize): number {
  const turns = turnsInMemory(conversation);
  const counted = turns.findLastIndex((turn) => turn.role === "assistant" && turn.usage !== undefined);
  const answer = turns[counted];
  // A count from before turns were left out would be too high: then everything is estimated.
  const known =
    answer?.role === "assistant" && answer.usage !== undefined && conversation.memoryStart === undefined
      ? answer.usage.promptTokens + answer.usage.newTokens
      : undefined;
  const rest = known === undefined ? turns : turns.slice(counted + 1);
  const carried = known === undefined ? picturesCarriedOver(conversation).length * (size.imageTokens + 2) : 0;
  return (known ?? openingTokens + carried) + rest.reduce((sum, turn) => sum + turnCost(turn, size.imageTokens), 0);
}

/** The budget if this draft were sent now. */
export function budgetOf(
  conversation: Conversation,
  draft: { readonly text: string; readonly pictures: readonly Picture[] },
  size: MemorySize,
): Budget {
  const empty = draft.text.trim() === "" && draft.pictures.length === 0;
  const draftTurn: Turn = { role: "user", id: "", text: draft.text, pictures: draft.pictures };
  const usedTokens = Math.round(costOf(conversation, size) + (empty ? 0 : turnCost(draftTurn, size.imageTokens)));
  const { contextLength } = size;
  const left = contextLength - usedTokens;
  const state = left < answerRoom(contextLength) ? "full" : left < contextLength / 4 ? "tight" : "enough";
  return { usedTokens, contextLength, state, canForget: questionsInMemory(conversation).length > 0 };
}

const questionsInMemory = (conversation: Conversation): readonly Turn[] =>
  turnsInMemory(conversation).filter((turn) => turn.role === "user");

/**
 * Leaves out the oldest turns until half of the memory is free, at least one question; the last question always stays, and so do
 * the pictures last shown. Undefined when there is nothing that could be left out.
 */
export function forgetOldest(conversation: Conversation, size: MemorySize): Conversation | undefined {
  const { turns } = conversation;
  const starts = questionsInMemory(conversation)
    .slice(1)
    .map((turn) => turn.id);
  const enough = starts.find((memoryStart) => costOf({ turns, memoryStart }, size) <= size.contextLength / 2);
  const memoryStart = enough ?? starts.at(-1);
  return memoryStart === undefined ? undefined : { ...conversation, memoryStart };
}
