// Which conversation is shown, and what can be done to those that are kept: open, rename, delete and undo. Knows no model.
import type { Conversation } from "./conversation.ts";
import type { Cell } from "./observable.ts";
import { summarize, inListOrder, type ChatPersistence } from "./persistence.ts";
import type { ChatState } from "./store.ts";

export interface History {
  /** Brings back the list and the conversation shown last; call once, before anything is sent. */
  restore(): Promise<void>;
  /** An empty conversation; the one that was shown stays in the list, and an answer under way in it is stopped. */
  newChat(): void;
  /** Shows another conversation; an answer under way is stopped, one that waited there gets answered. */
  open(id: string): Promise<void>;
  /** An empty title is none: then the first question names it again. */
  rename(id: string, title: string): Promise<void>;
  /** Takes a conversation away; `undo` brings it back. */
  remove(id: string): Promise<void>;
  /** Brings back what was deleted last. */
  undo(): Promise<void>;
  /** Reads these conversations anew, after something else than this store has saved them. */
  refresh(ids: readonly string[]): Promise<void>;
  /** Lets what was deleted go. */
  dismissUndo(): void;
  /** The user has read that another tab's turns were joined in. */
  dismissJoined(): void;
}

interface HistoryOptions {
  readonly cell: Cell<ChatState>;
  readonly persistence: ChatPersistence;
  readonly newId: () => string;
  /** Stops what runs in the shown conversation, before another takes its place. */
  readonly leave: () => void;
  /** Saves the shown conversation. */
  readonly save: () => void;
  /** Another conversation is shown now. */
  readonly shown: () => void;
  readonly isBusy: () => boolean;
  /** What was kept while it ran, as it stands now that nothing runs it. */
  readonly settle: (conversation: Conversation) => Conversation;
}

export interface HistoryParts extends History {
  forgetUndo(): void;
  /** Shows and saves a conversation with turns deleted; `undo` goes back. */
  replaceUndoably(rest: Conversation): void;
}

const listenEveryMs = 300;

/** The part of the store that looks after the list. */
export function createHistory(options: HistoryOptions): HistoryParts {
  const { cell, persistence, newId, leave, save, shown, isBusy, settle } = options;
  let bringBack: (() => Promise<void>) | undefined;
  /** Counts what was shown: what was asked for before something else was shown comes too late. */
  let visit = 0;

  const show = (conversation: Conversation): void => {
    visit++;
    cell.update((state) => ({ ...state, conversation, joined: false }));
    const last = conversation.turns.length === 0 ? undefined : conversation.id;
    persistence.setLast(last).catch(notSaved);
  };
  const notSaved = (): void => cell.update((state) => ({ ...state, saved: false }));
  const refreshList = async (): Promise<void> => {
    const conversations = await persistence.list();
    cell.update((state) => ({ ...state, conversations }));
  };
  const offerUndo = (what: ChatState["undo"], undo: () => Promise<void>): void => {
    bringBack = undo;
    cell.update((state) => ({ ...state, undo: what }));
  };
  const forgetUndo = (): void => {
    if (bringBack === undefined) return;
    bringBack = undefined;
    cell.update((state) => ({ ...state, undo: undefined }));
  };

  /** What another tab did: the list anew, and the shown conversation too where nothing is under way in either tab. */
  const follow = async (ids: ReadonlySet<string>): Promise<void> => {
    await refreshList();
    const before = cell.get().conversation;
    if (!ids.has(before.id) || isBusy()) return;
    const theirs = await persistence.open(before.id);
    const last = theirs?.turns.at(-1);
    const ended = last?.role !== "assistant" || (last.status !== "queued" && last.status !== "running");
    if (theirs === undefined || !ended || cell.get().conversation !== before) return;
    cell.update((state) => ({ ...state, conversation: theirs }));
  };
  let changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  persistence.onChange((id) => {
    changed.add(id);
    timer ??= setTimeout(() => {
      const ids = changed;
      changed = new Set();
      timer = undefined;
      follow(ids).catch(notSaved);
    }, listenEveryMs);
  });

  return {
    forgetUndo,
    replaceUndoably(rest) {
      const before = cell.get().conversation;
      cell.update((state) => ({ ...state, conversation: rest }));
      save();
      offerUndo("turns", () => {
        cell.update((state) => ({ ...state, conversation: before }));
        save();
        return Promise.resolve();
      });
    },
    async restore() {
      try {
        const conversation = await persistence.load();
        const conversations = await persistence.list();
        const free = cell.get().conversation.turns.length === 0;
        // In one step: the page shows no state between.
        cell.update((state) => ({
          ...state,
          conversations,
          conversation: conversation !== undefined && free ? settle(conversation) : state.conversation,
        }));
        // Nobody waits for it, and what it could not clear away it clears away next time.
        persistence.purge().catch(() => undefined);
      } catch {
        notSaved();
      }
    },
    newChat() {
      leave();
      forgetUndo();
      show({ id: newId(), turns: [] });
    },
    async open(id) {
      if (id === cell.get().conversation.id) return;
      const started = ++visit;
      let conversation: Conversation | undefined;
      try {
        conversation = await persistence.open(id);
        if (conversation === undefined) await refreshList();
      } catch {
        return notSaved();
      }
      if (conversation === undefined || visit !== started) return;
      leave();
      show(settle(conversation));
      shown();
    },
    async rename(id, title) {
      const name = title.trim();
      const renamed = (conversation: Conversation): Conversation => ({
        ...conversation,
        title: name === "" ? undefined : name,
      });
      if (id === cell.get().conversation.id) {
        cell.update((state) => ({ ...state, conversation: renamed(state.conversation) }));
        return save();
      }
      try {
        const conversation = await persistence.open(id);
        if (conversation === undefined) return await refreshList();
        const kept = await persistence.save(renamed(conversation));
        cell.update((state) => ({
          ...state,
          conversations: inListOrder([summarize(kept), ...state.conversations.filter((other) => other.id !== id)]),
        }));
      } catch {
        notSaved();
      }
    },
    async remove(id) {
      const wasShown = id === cell.get().conversation.id;
      if (wasShown) {
        leave();
        show({ id: newId(), turns: [] });
      }
      cell.update((state) => ({ ...state, conversations: state.conversations.filter((other) => other.id !== id) }));
      try {
        await persistence.remove(id);
      } catch {
        return notSaved();
      }
      offerUndo("conversation", async () => {
        await persistence.restore(id);
        await refreshList();
        if (!wasShown || cell.get().conversation.turns.length > 0) return;
        const conversation = await persistence.open(id);
        if (conversation !== undefined && cell.get().conversation.turns.length === 0) show(conversation);
      });
    },
    async undo() {
      const undo = bringBack;
      forgetUndo();
      try {
        await undo?.();
      } catch {
        notSaved();
      }
    },
    refresh: (ids) => follow(new Set(ids)).catch(notSaved),
    dismissUndo: forgetUndo,
    dismissJoined: () => cell.update((state) => ({ ...state, joined: false })),
  };
}
