// Everything that asks a model for an answer: a new question, an edited one, another answer, the rest of an answer.
import { branchFrom, changeTurn, versionsOf } from "#chat/conversation/branches.ts";
import { forgetOldest } from "#chat/conversation/budget.ts";
import type { Conversation, Picture, UserTurn } from "#chat/conversation/conversation.ts";
import { fatalCodes } from "#chat/models/load-once.ts";
import { canContinue, continuedTurn, queuedTurn } from "#chat/run-turn.ts";
import { answerNext } from "./answering.ts";
import { startModel } from "./loading.ts";
import { rememberShown, saveNow } from "./saving.ts";
import { idleConversation, setConversation, type StoreContext } from "./store-context.ts";
import { withdrawUndo } from "./undo.ts";

export interface SendOptions {
  /** Leave the oldest turns out of what the model reads. */
  readonly forgetOldest?: boolean;
}

/** Adds a question with its waiting answer. */
export function send(
  store: StoreContext,
  text: string,
  pictures: readonly Picture[],
  { forgetOldest: forgets = false }: SendOptions = {},
): void {
  const conversation = idleConversation(store);
  if (conversation === undefined || isEmpty(text, pictures)) return;
  const question = newQuestion(store, text, pictures);
  const { model } = store.cell.get();
  const answer = queuedTurn(store.newId(), store.now());
  const longer = { ...conversation, turns: [...conversation.turns, question, answer] };
  const shorter = forgets && model.phase === "ready" ? forgetOldest(longer, model.model) : undefined;
  ask(store, shorter ?? longer);
}

/** Asks a question in other words or with other pictures; the old one becomes an alternative. */
export function edit(store: StoreContext, questionId: string, text: string, pictures: readonly Picture[]): void {
  const conversation = idleConversation(store);
  if (conversation === undefined || isEmpty(text, pictures)) return;
  const question = newQuestion(store, text, pictures);
  const answer = queuedTurn(store.newId(), store.now());
  const branched = branchFrom(conversation, questionId, [question, answer]);
  if (branched !== conversation) ask(store, branched);
}

/** Answers the last question anew, and starts the model if it has failed. */
export function retry(store: StoreContext): void {
  const conversation = idleConversation(store);
  const last = conversation?.turns.at(-1);
  if (conversation === undefined || last?.role !== "assistant") return;
  answerAnew(store, conversation, last.id);
  if (store.cell.get().model.phase === "failed") void startModel(store);
}

/** Answers a question anew; where the same model has answered it, the new answer is sampled so that it differs. */
export function regenerate(store: StoreContext, answerId: string): void {
  const conversation = idleConversation(store);
  const old = conversation?.turns.find((turn) => turn.id === answerId);
  if (conversation === undefined || old?.role !== "assistant") return;
  const { model } = store.cell.get();
  // Another model says something else by itself; an answer that broke off has not been given yet.
  const isSameModel = old.model === undefined || (model.phase === "ready" && old.model.id === model.model.id);
  answerAnew(store, conversation, answerId, isSameModel && old.status === "done" && old.text.trim() !== "");
}

/** Lets the last answer go on where it was cut off. */
export function continueAnswer(store: StoreContext): void {
  const conversation = idleConversation(store);
  const last = conversation?.turns.at(-1);
  if (conversation === undefined || last?.role !== "assistant" || !canContinue(last)) return;
  ask(store, changeTurn(conversation, last.id, continuedTurn));
}

/** Leaves the oldest turns out of what the model reads, and answers the last question anew. */
export function forgetAndRetry(store: StoreContext): void {
  const conversation = idleConversation(store);
  const { model } = store.cell.get();
  const last = conversation?.turns.at(-1);
  if (conversation === undefined || model.phase !== "ready" || last?.role !== "assistant") return;
  answerAnew(store, forgetOldest(conversation, model.model) ?? conversation, last.id);
}

const isEmpty = (text: string, pictures: readonly Picture[]): boolean => text.trim() === "" && pictures.length === 0;

function newQuestion({ newId, now }: StoreContext, text: string, pictures: readonly Picture[]): UserTurn {
  return { role: "user", id: newId(), text: text.trim(), pictures, at: now() };
}

/** Puts a waiting answer in the place of this one, which becomes an alternative, or is replaced where it has no words. */
function answerAnew(store: StoreContext, conversation: Conversation, answerId: string, varied = false): void {
  const index = conversation.turns.findIndex((turn) => turn.id === answerId);
  const old = conversation.turns[index];
  if (old?.role !== "assistant") return;
  const answer = queuedTurn(store.newId(), store.now());
  if (varied) {
    const texts = versionsOf(conversation, answerId).map(({ text }) => text.trim());
    store.variations.set(answer.id, { unlike: new Set(texts), tries: 0 });
  }
  const isWorthless = old.text === "" && index === conversation.turns.length - 1;
  if (isWorthless) ask(store, { ...conversation, turns: [...conversation.turns.slice(0, -1), answer] });
  else ask(store, branchFrom(conversation, answerId, [answer]));
}

/** Shows and saves the conversation, which ends with a waiting answer, and gets that answered. */
function ask(store: StoreContext, conversation: Conversation): void {
  withdrawUndo(store);
  const { model } = store.cell.get();
  setConversation(store, { ...conversation, updatedAt: store.now() });
  saveNow(store);
  rememberShown(store, conversation.id);
  if (model.phase === "failed" && fatalCodes.has(model.failure.code)) void startModel(store);
  else void answerNext(store);
}
