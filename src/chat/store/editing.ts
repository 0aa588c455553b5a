// Changes to the shown conversation that ask no model.
import { branchFrom, changeTurn, removePair, showAlternative } from "#chat/conversation/branches.ts";
import type { AssistantTurn, Opinion, UserTurn } from "#chat/conversation/conversation.ts";
import { removeConversation } from "./history.ts";
import { rememberShown, saveNow } from "./saving.ts";
import { idleConversation, setConversation, type QuestionDraft, type StoreContext } from "./store-context.ts";
import { replaceUndoably, withdrawUndo } from "./undo.ts";

/** Sets the reader's opinion of an answer; the same opinion once more takes it back. A flag and a thumb go together. */
export function judge(store: StoreContext, answerId: string, opinion: Opinion): void {
  const { conversation } = store.cell.get();
  setConversation(
    store,
    changeTurn(conversation, answerId, ({ opinion: before, flagged, ...turn }) => {
      const thumb = opinion === "flag" ? before : before === opinion ? undefined : opinion;
      const flag = opinion === "flag" ? flagged !== true : flagged === true;
      return { ...turn, ...(thumb === undefined ? {} : { opinion: thumb }), ...(flag ? { flagged: true } : {}) };
    }),
  );
  saveNow(store);
}

/** Takes an answer that another model gave elsewhere: to a question of its own, or as an alternative to the last answer. */
export function adopt(store: StoreContext, answer: AssistantTurn, asked: QuestionDraft | undefined): void {
  const conversation = idleConversation(store);
  if (conversation === undefined) return;
  const { newId, now } = store;
  const last = conversation.turns.at(-1);
  const question: UserTurn | undefined = asked && { role: "user", id: newId(), ...asked, at: now() };
  const taken: AssistantTurn = { ...answer, id: newId(), at: now() };
  withdrawUndo(store);
  if (question !== undefined)
    setConversation(store, { ...conversation, turns: [...conversation.turns, question, taken], updatedAt: now() });
  else if (last?.role === "assistant")
    setConversation(store, { ...branchFrom(conversation, last.id, [taken]), updatedAt: now() });
  else return;
  saveNow(store);
  rememberShown(store, conversation.id);
}

/** Pages to the alternative before or after the turn. */
export function page(store: StoreContext, turnId: string, step: -1 | 1): void {
  const conversation = idleConversation(store);
  if (conversation === undefined) return;
  setConversation(store, showAlternative(conversation, turnId, step));
  saveNow(store);
}

/** Takes a question and its answer out; where nothing is left, the conversation is removed. */
export function removeTurns(store: StoreContext, questionId: string): void {
  const conversation = idleConversation(store);
  if (conversation === undefined) return;
  const rest = removePair(conversation, questionId);
  if (rest === conversation) return;
  if (rest.turns.length === 0) void removeConversation(store, conversation.id);
  else replaceUndoably(store, rest);
}
