// Follows what other tabs save and delete.
import { isBusy } from "#chat/conversation/conversation.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import { noteDeletedElsewhere, noteSaved, noteUnsaved, refreshList } from "./saving.ts";
import { setConversation, type StoreContext } from "./store-context.ts";

/** Changes of other tabs are gathered for so long before they are read. */
const gatherMs = 300;

/** Follows other tabs for the life of the page. */
export function followOtherTabs(store: StoreContext): void {
  let changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.persistence.onChange((id) => {
    changed.add(id);
    timer ??= setTimeout(() => {
      const ids = changed;
      changed = new Set();
      timer = undefined;
      void refresh(store, ids);
    }, gatherMs);
  });
}

/** Reads the list anew and, where it is among `ids`, the shown conversation. */
export function refresh(store: StoreContext, ids: ReadonlySet<string>): Promise<void> {
  return readAnew(store, ids).catch((error: unknown) => noteUnsaved(store, error));
}

/** Keeps the shown conversation, which another tab has deleted: joins it with what that tab may have brought back. */
export function keepDeleted(store: StoreContext): Promise<void> {
  return saveDeleted(store).catch((error: unknown) => noteUnsaved(store, error));
}

async function readAnew(store: StoreContext, ids: ReadonlySet<string>): Promise<void> {
  const { cell, persistence } = store;
  await refreshList(store);
  const before = cell.get().conversation;
  if (!ids.has(before.id)) return;
  const wasDeleted = cell.get().deletedElsewhere === true;
  if (wasDeleted && cell.get().conversations.some(({ id }) => id === before.id)) return await saveDeleted(store);
  if (isBusy(before)) return;
  const theirs = await persistence.open(before.id);
  if (theirs === undefined && store.lastSaved?.id === before.id && cell.get().conversation.id === before.id)
    noteDeletedElsewhere(store, before.id);
  // An answer that the other tab is still writing is read when it has ended.
  if (theirs === undefined || isBusy(theirs) || cell.get().conversation !== before) return;
  store.lastSaved = theirs;
  setConversation(store, theirs);
}

async function saveDeleted(store: StoreContext): Promise<void> {
  const saved = await store.persistence.merge(store.cell.get().conversation);
  store.cell.update((state) =>
    state.conversation.id === saved.conversation.id
      ? { ...state, deletedElsewhere: false, conversation: joinConversations(state.conversation, saved.conversation) }
      : state,
  );
  noteSaved(store, saved);
  await refreshList(store);
}
