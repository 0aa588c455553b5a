// Saves the shown conversation, and tells the page what of it could not be saved.
import { allTurns } from "#chat/conversation/branches.ts";
import type { Conversation } from "#chat/conversation/conversation.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import { inListOrder, isFull, summarize, type Saved } from "#chat/persistence/persistence.ts";
import type { StoreContext } from "./store-context.ts";

/** Saves while an answer streams in: once per `saveEveryMs`. */
export function saveSoon(store: StoreContext): void {
  store.saveTimer ??= setTimeout(() => saveNow(store), store.saveEveryMs);
}

/** Saves at once. Nothing is saved of an empty conversation, nor of one that another tab has deleted. */
export function saveNow(store: StoreContext): void {
  const { cell, persistence } = store;
  clearTimeout(store.saveTimer);
  store.saveTimer = undefined;
  const { conversation, deletedElsewhere } = cell.get();
  if (conversation.turns.length === 0 || deletedElsewhere === true) return;
  listConversation(store, conversation);
  persistence.save(conversation).then(
    (result) => {
      if (result === "deleted") return noteDeletedElsewhere(store, conversation.id);
      noteSaved(store, result);
      showJoined(store, conversation, result.conversation);
    },
    (error: unknown) => noteUnsaved(store, error),
  );
}

/** Another tab had saved the conversation meanwhile: what it added is shown, too. */
function showJoined({ cell }: StoreContext, saved: Conversation, joined: Conversation): void {
  const shown = cell.get().conversation;
  if (joined === saved || shown.id !== joined.id) return;
  const grown = allTurns(joined).length > allTurns(saved).length;
  cell.update((state) => ({
    ...state,
    conversation: joinConversations(shown, joined),
    joined: grown || state.joined === true,
  }));
}

/** Puts the conversation's line into the list, or replaces it. */
export function listConversation({ cell }: StoreContext, conversation: Conversation): void {
  const summary = summarize(conversation);
  cell.update((state) => ({
    ...state,
    conversations: inListOrder([summary, ...state.conversations.filter(({ id }) => id !== conversation.id)]),
  }));
}

/** A save has succeeded, but for pictures that found no room. */
export function noteSaved(store: StoreContext, { conversation, unsavedPictures }: Saved): void {
  const { unsaved, conversation: shown } = store.cell.get();
  if (shown.id !== conversation.id) return;
  store.lastSaved = conversation;
  if (unsaved === undefined && unsavedPictures === 0) return;
  const pictures = { cause: "full", turns: 0, isPart: true, pictures: unsavedPictures } as const;
  store.cell.update((state) => ({ ...state, unsaved: unsavedPictures === 0 ? undefined : pictures }));
}

/** The storage can't be read or written. */
export function noteUnsaved({ cell, lastSaved }: StoreContext, error: unknown): void {
  const { turns, id } = cell.get().conversation;
  const saved = lastSaved?.id === id ? new Set(allTurns(lastSaved).map((turn) => turn.id)) : new Set<string>();
  const missing = turns.filter((turn) => !saved.has(turn.id)).length;
  const unsaved = {
    cause: isFull(error) ? "full" : "blocked",
    // Where no turn is new, the last answer has grown since.
    turns: Math.max(1, missing),
    isPart: saved.size > 0,
    pictures: 0,
  } as const;
  cell.update((state) => ({ ...state, unsaved }));
}

/** Another tab has deleted the conversation with this id. */
export function noteDeletedElsewhere({ cell }: StoreContext, id: string): void {
  cell.update((state) => ({
    ...state,
    conversations: state.conversations.filter((other) => other.id !== id),
    deletedElsewhere: state.conversation.id === id,
  }));
}

/** Remembers the conversation as the one to show on the next visit. */
export function rememberShown({ persistence }: StoreContext, id: string | undefined): void {
  persistence.setLast(id).catch(() => undefined);
}

/** Reads the list of conversations anew. */
export async function refreshList({ cell, persistence }: StoreContext): Promise<void> {
  const conversations = await persistence.list();
  cell.update((state) => ({ ...state, conversations }));
}
