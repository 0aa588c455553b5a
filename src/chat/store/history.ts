// Which conversation is shown, and what can be done to those that are kept: open, rename, delete and undo. Knows no model.
import { allTurns, mapTurns } from "#chat/conversation/branches.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import { titleOf, type Conversation } from "#chat/conversation/conversation.ts";
import type { Cell } from "#chat/observable.ts";
import { summarize, inListOrder, isFull, type ChatPersistence, type Kept } from "#chat/persistence/persistence.ts";
import type { Arrival, ChatState } from "./chat-state.ts";

export interface History {
  /**
   * Brings back the list and the conversation that is wanted, or else the one shown last; call once, before anything is sent. One of
   * the suspects is not shown by itself.
   */
  restore(visit?: { readonly wanted?: string | undefined; readonly suspects?: ReadonlySet<string> }): Promise<void>;
  /** An address was followed that names no conversation of this place. */
  tellMissing(): void;
  dismissArrival(): void;
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
  /** Keeps the shown conversation after all, which another tab has deleted. */
  keepDeleted(): Promise<void>;
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
  /** A save has ended well, or not. */
  noteKept(kept: Kept): void;
  noteUnkept(error: unknown): void;
  /** Another tab has deleted the conversation with this id. */
  lost(id: string): void;
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
    cell.update((state) => ({
      ...state,
      conversation,
      joined: false,
      deletedElsewhere: false,
      unkept: undefined,
      arrival: undefined,
    }));
    const last = conversation.turns.length === 0 ? undefined : conversation.id;
    persistence.setLast(last).catch(() => undefined);
  };
  /** The last state of the shown conversation that is kept. */
  let lastKept: Conversation | undefined;
  const noteKept = ({ conversation, unkeptPictures }: Kept): void => {
    const { unkept, conversation: shown } = cell.get();
    if (shown.id !== conversation.id) return;
    lastKept = conversation;
    if (unkept === undefined && unkeptPictures === 0) return;
    const pictures = { cause: "full", turns: 0, isPart: true, pictures: unkeptPictures } as const;
    cell.update((state) => ({ ...state, unkept: unkeptPictures === 0 ? undefined : pictures }));
  };
  const noteUnkept = (error: unknown): void => {
    const { turns, id } = cell.get().conversation;
    const before = lastKept?.id === id ? new Set(allTurns(lastKept).map((turn) => turn.id)) : new Set<string>();
    const cause = isFull(error) ? "full" : "blocked";
    const missing = turns.filter((turn) => !before.has(turn.id)).length;
    // What grew and could not be written is the last answer at least.
    const unkept = { cause, turns: Math.max(1, missing), isPart: before.size > 0, pictures: 0 } as const;
    cell.update((state) => ({ ...state, unkept }));
  };
  const lost = (id: string): void =>
    cell.update((state) => ({
      ...state,
      conversations: state.conversations.filter((other) => other.id !== id),
      deletedElsewhere: state.conversation.id === id,
    }));
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
    if (!ids.has(before.id)) return;
    const wasDeleted = cell.get().deletedElsewhere === true;
    if (wasDeleted && cell.get().conversations.some(({ id }) => id === before.id)) return await keepDeleted();
    if (isBusy()) return;
    const theirs = await persistence.open(before.id);
    if (theirs === undefined && lastKept?.id === before.id && cell.get().conversation.id === before.id) lost(before.id);
    const last = theirs?.turns.at(-1);
    const ended = last?.role !== "assistant" || (last.status !== "queued" && last.status !== "running");
    if (theirs === undefined || !ended || cell.get().conversation !== before) return;
    lastKept = theirs;
    cell.update((state) => ({ ...state, conversation: theirs }));
  };
  /** What is shown, joined with what another tab may have brought back. */
  const keepDeleted = async (): Promise<void> => {
    const kept = await persistence.merge(cell.get().conversation);
    cell.update((state) =>
      state.conversation.id === kept.conversation.id
        ? { ...state, deletedElsewhere: false, conversation: joinConversations(state.conversation, kept.conversation) }
        : state,
    );
    noteKept(kept);
    await refreshList();
  };
  let changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  persistence.onChange((id) => {
    changed.add(id);
    timer ??= setTimeout(() => {
      const ids = changed;
      changed = new Set();
      timer = undefined;
      follow(ids).catch(noteUnkept);
    }, listenEveryMs);
  });

  return {
    forgetUndo,
    noteKept,
    noteUnkept,
    lost,
    keepDeleted: () => keepDeleted().catch(noteUnkept),
    replaceUndoably(rest) {
      const before = cell.get().conversation;
      cell.update((state) => ({ ...state, conversation: rest }));
      save();
      offerUndo("turns", async () => {
        const { conversation: shown, joined } = cell.get();
        const isShown = shown.id === before.id;
        const now = isShown ? shown : ((await persistence.open(before.id)) ?? before);
        // What was said since, here or in another tab, stays too.
        const since = new Map(allTurns(now).map((turn) => [turn.id, turn]));
        const back = mapTurns({ ...before, title: now.title }, (turn) => since.get(turn.id) ?? turn);
        const both = joinConversations(back, now);
        if (!isShown) {
          await persistence.merge(both);
          return;
        }
        const grown = allTurns(both).length > allTurns(before).length;
        cell.update((state) => ({ ...state, conversation: both, joined: grown || joined === true }));
        save();
      });
    },
    async restore({ wanted, suspects = new Set() } = {}) {
      try {
        const conversations = await persistence.list();
        // One that can't be read must not hide the others.
        const asked = wanted === undefined ? persistence.load() : persistence.open(wanted);
        const found = await asked.catch(() => undefined);
        const isSuspect = found !== undefined && suspects.has(found.id);
        const conversation = isSuspect ? undefined : found;
        lastKept = conversation;
        let arrival: Arrival | undefined;
        if (isSuspect) arrival = { kind: "crashed", id: found.id, title: titleOf(found) };
        else if (wanted !== undefined && found === undefined) arrival = { kind: "missing" };
        const free = cell.get().conversation.turns.length === 0;
        // In one step: the page shows no state between.
        cell.update((state) => ({
          ...state,
          restored: true,
          arrival,
          conversations,
          conversation: conversation !== undefined && free ? settle(conversation) : state.conversation,
        }));
        // Nobody waits for it, and what it could not clear away it clears away next time.
        persistence.purge().catch(() => undefined);
      } catch (error) {
        cell.update((state) => ({ ...state, restored: true }));
        noteUnkept(error);
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
      } catch (error) {
        return noteUnkept(error);
      }
      if (conversation === undefined || visit !== started) return;
      leave();
      lastKept = conversation;
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
        if (kept === "deleted") return await refreshList();
        const summary = summarize(kept.conversation);
        cell.update((state) => ({
          ...state,
          conversations: inListOrder([summary, ...state.conversations.filter((other) => other.id !== id)]),
        }));
      } catch (error) {
        noteUnkept(error);
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
      } catch (error) {
        return noteUnkept(error);
      }
      offerUndo("conversation", async () => {
        await persistence.restore(id);
        await refreshList();
        if (!wasShown || cell.get().conversation.turns.length > 0) return;
        const conversation = await persistence.open(id);
        if (conversation === undefined || cell.get().conversation.turns.length > 0) return;
        lastKept = conversation;
        show(conversation);
      });
    },
    async undo() {
      const undo = bringBack;
      forgetUndo();
      try {
        await undo?.();
      } catch (error) {
        noteUnkept(error);
      }
    },
    refresh: (ids) => follow(new Set(ids)).catch(noteUnkept),
    tellMissing: () => cell.update((state) => ({ ...state, arrival: { kind: "missing" } })),
    dismissArrival: () => cell.update((state) => ({ ...state, arrival: undefined })),
    dismissUndo: forgetUndo,
    dismissJoined: () => cell.update((state) => ({ ...state, joined: false })),
  };
}
