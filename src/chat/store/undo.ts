// What was deleted last can be brought back, until something else is asked or deleted.
import { allTurns, mapTurns } from "#chat/conversation/branches.ts";
import type { Conversation } from "#chat/conversation/conversation.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import type { ChatState } from "./chat-state.ts";
import { noteUnsaved, saveNow } from "./saving.ts";
import { setConversation, type StoreContext } from "./store-context.ts";

/** Offers to bring back what was just deleted. */
export function offerUndo(store: StoreContext, what: ChatState["undo"], undo: () => Promise<void>): void {
  store.undo = undo;
  store.cell.update((state) => ({ ...state, undo: what }));
}

/** Withdraws the offer. */
export function withdrawUndo(store: StoreContext): void {
  if (store.undo === undefined) return;
  store.undo = undefined;
  store.cell.update((state) => ({ ...state, undo: undefined }));
}

/** Brings back what was deleted last. */
export async function undo(store: StoreContext): Promise<void> {
  const bringBack = store.undo;
  withdrawUndo(store);
  try {
    await bringBack?.();
  } catch (error) {
    noteUnsaved(store, error);
  }
}

/** Shows and saves `rest`, the shown conversation without some of its turns; undoing it brings these back. */
export function replaceUndoably(store: StoreContext, rest: Conversation): void {
  const before = store.cell.get().conversation;
  setConversation(store, rest);
  saveNow(store);
  offerUndo(store, "turns", () => bringBackTurns(store, before));
}

/** Joins the turns of `before` into the conversation. What has been said since then, here or in another tab, stays. */
async function bringBackTurns(store: StoreContext, before: Conversation): Promise<void> {
  const { cell, persistence } = store;
  const { conversation: shown, joined } = cell.get();
  const isShown = shown.id === before.id;
  const now = isShown ? shown : ((await persistence.open(before.id)) ?? before);
  const newer = new Map(allTurns(now).map((turn) => [turn.id, turn]));
  const back = mapTurns({ ...before, title: now.title }, (turn) => newer.get(turn.id) ?? turn);
  const both = joinConversations(back, now);
  if (!isShown) {
    await persistence.merge(both);
    return;
  }
  const grown = allTurns(both).length > allTurns(before).length;
  cell.update((state) => ({ ...state, conversation: both, joined: grown || joined === true }));
  saveNow(store);
}
