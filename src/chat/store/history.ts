// Which conversation is shown, and what can be done to the stored ones: open, rename, remove and bring back.
import { mapTurns } from "#chat/conversation/branches.ts";
import { titleOf, type Conversation, type Turn } from "#chat/conversation/conversation.ts";
import { reduceTurn } from "#chat/run-turn.ts";
import { answerNext, leaveRunningAnswer } from "./answering.ts";
import type { Arrival } from "./chat-state.ts";
import { listConversation, noteUnsaved, refreshList, rememberShown, saveNow } from "./saving.ts";
import { setConversation, type StoreContext } from "./store-context.ts";
import { offerUndo, withdrawUndo } from "./undo.ts";

export interface Visit {
  /** The id in the page's address. */
  readonly wanted?: string | undefined;
  /** Conversations that ended their pages while they were drawn. */
  readonly suspects?: ReadonlySet<string>;
}

/** Brings back the list, and shows the conversation that is wanted, or else the last one shown. A suspect is not shown by itself. */
export async function restore(store: StoreContext, { wanted, suspects = new Set() }: Visit = {}): Promise<void> {
  const { cell, persistence } = store;
  try {
    const conversations = await persistence.list();
    // A conversation that can't be read must not hide the list of the others.
    const asked = wanted === undefined ? persistence.load() : persistence.open(wanted);
    const found = await asked.catch(() => undefined);
    const isSuspect = found !== undefined && suspects.has(found.id);
    const conversation = isSuspect ? undefined : found;
    store.lastSaved = conversation;
    let arrival: Arrival | undefined;
    if (isSuspect) arrival = { kind: "crashed", id: found.id, title: titleOf(found) };
    else if (wanted !== undefined && found === undefined) arrival = { kind: "missing" };
    const isEmpty = cell.get().conversation.turns.length === 0;
    // In one step: the page shows no state between.
    cell.update((state) => ({
      ...state,
      restored: true,
      arrival,
      conversations,
      conversation: conversation !== undefined && isEmpty ? settle(conversation) : state.conversation,
    }));
    // Runs in the background; what is left over is purged on the next visit.
    persistence.purge().catch(() => undefined);
  } catch (error) {
    cell.update((state) => ({ ...state, restored: true }));
    noteUnsaved(store, error);
  }
}

/** Shows an empty conversation; the one that was shown stays in the list. */
export function newChat(store: StoreContext): void {
  leaveRunningAnswer(store);
  withdrawUndo(store);
  show(store, { id: store.newId(), turns: [] });
}

/** Shows another conversation, and answers what waits there. Something else that is shown meanwhile wins. */
export async function openConversation(store: StoreContext, id: string): Promise<void> {
  if (id === store.cell.get().conversation.id) return;
  const visit = ++store.visit;
  let conversation: Conversation | undefined;
  try {
    conversation = await store.persistence.open(id);
    if (conversation === undefined) await refreshList(store);
  } catch (error) {
    return noteUnsaved(store, error);
  }
  if (conversation === undefined || store.visit !== visit) return;
  leaveRunningAnswer(store);
  store.lastSaved = conversation;
  show(store, settle(conversation));
  void answerNext(store);
}

/** Names a conversation; with an empty title its first question names it again. */
export async function rename(store: StoreContext, id: string, title: string): Promise<void> {
  const name = title.trim();
  const renamed = (conversation: Conversation): Conversation => ({
    ...conversation,
    title: name === "" ? undefined : name,
  });
  const { conversation: shown } = store.cell.get();
  if (id === shown.id) {
    setConversation(store, renamed(shown));
    return saveNow(store);
  }
  try {
    const conversation = await store.persistence.open(id);
    if (conversation === undefined) return await refreshList(store);
    const saved = await store.persistence.save(renamed(conversation));
    if (saved === "deleted") return await refreshList(store);
    listConversation(store, saved.conversation);
  } catch (error) {
    noteUnsaved(store, error);
  }
}

/** Removes a conversation; undoing it brings it back, and shows it again where it was shown. */
export async function removeConversation(store: StoreContext, id: string): Promise<void> {
  const { cell, persistence } = store;
  const wasShown = id === cell.get().conversation.id;
  if (wasShown) {
    leaveRunningAnswer(store);
    show(store, { id: store.newId(), turns: [] });
  }
  cell.update((state) => ({ ...state, conversations: state.conversations.filter((other) => other.id !== id) }));
  try {
    await persistence.remove(id);
  } catch (error) {
    return noteUnsaved(store, error);
  }
  offerUndo(store, "conversation", async () => {
    await persistence.restore(id);
    await refreshList(store);
    const isFree = (): boolean => wasShown && cell.get().conversation.turns.length === 0;
    const conversation = isFree() ? await persistence.open(id) : undefined;
    if (conversation === undefined || !isFree()) return;
    store.lastSaved = conversation;
    show(store, conversation);
  });
}

function show(store: StoreContext, conversation: Conversation): void {
  store.visit++;
  store.cell.update((state) => ({
    ...state,
    conversation,
    joined: false,
    deletedElsewhere: false,
    unsaved: undefined,
    arrival: undefined,
  }));
  rememberShown(store, conversation.turns.length === 0 ? undefined : conversation.id);
}

/** A conversation that no page runs any more: an answer that was running counts as stopped, one that waited still waits. */
function settle(conversation: Conversation): Conversation {
  return mapTurns(conversation, (turn): Turn =>
    turn.role === "assistant" && turn.status === "running" ? reduceTurn(turn, { type: "stopped" }) : turn,
  );
}
