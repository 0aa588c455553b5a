// Keeps a conversation that ended its page from being drawn again by the next visit: while something of it is drawn, a mark in
// localStorage names it. The mark of a page that is still open says nothing, so each page holds a lock of its name, which the browser
// takes back when the page dies, however it does.
import type { Conversation } from "#chat/conversation/conversation.ts";
import { newId } from "#chat/new-id.ts";
import type { Observable } from "#chat/observable.ts";

interface CrashGuard {
  /** Ids of the conversations that were being drawn when their pages ended. */
  suspects(): Promise<ReadonlySet<string>>;
  /** Tells that something of this conversation is about to be drawn; to be called after every change, with undefined for none. */
  mark(id: string | undefined): void;
}

/** Marks the shown conversation after every change, before the page draws it. */
export function markWhatIsDrawn(
  chat: Observable<{ readonly conversation: Conversation }>,
  guard: Pick<CrashGuard, "mark">,
): void {
  let drawn: Conversation | undefined;
  chat.subscribe(({ conversation }) => {
    if (conversation === drawn) return;
    drawn = conversation;
    guard.mark(conversation.turns.length > 0 ? conversation.id : undefined);
  });
}

/** A page that has drawn nothing for so long, and still runs, has survived it. */
const quietMs = 1500;
const prefix = "llava-web-drawing:";
const lockOf = (page: string): string => `llava-web-page:${page}`;

/** This page's guard, with the browser's own storage and locks by default. */
export function createCrashGuard(
  storage: () => Storage = () => localStorage,
  locks: LockManager | undefined = "locks" in navigator ? navigator.locks : undefined,
): CrashGuard {
  const page = newId();
  const own = prefix + page;
  // Held until the page goes.
  void locks?.request(lockOf(page), () => new Promise<void>(() => undefined)).catch(() => undefined);
  let marked: string | undefined;
  let lastChange = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const withStorage = (work: (place: Storage) => void): void => {
    try {
      work(storage());
    } catch {
      // A browser that stores nothing opens no conversation by itself either.
    }
  };
  const unmark = (): void => {
    if (marked !== undefined) withStorage((place) => place.removeItem(own));
    marked = undefined;
  };
  /** Takes the mark away once nothing was drawn for a while; a page that hangs does not come here. */
  const unmarkWhenQuiet = (): void => {
    const left = lastChange + quietMs - Date.now();
    timer = left > 0 ? setTimeout(unmarkWhenQuiet, left) : undefined;
    if (left > 0) return;
    // What has been drawn well is no suspect any more, whatever ended an earlier page.
    const drawn = marked;
    unmark();
    withStorage((place) => {
      for (const key of keysOf(place)) if (place.getItem(key) === drawn) place.removeItem(key);
    });
  };
  addEventListener("pagehide", unmark);
  // Phones end pages in the background without a word.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) unmark();
  });
  return {
    async suspects() {
      const marks = new Map<string, string>();
      withStorage((place) => {
        for (const key of keysOf(place)) if (key !== own) marks.set(key.slice(prefix.length), place.getItem(key) ?? "");
      });
      if (marks.size === 0) return new Set();
      const held = new Set((await locks?.query())?.held?.map(({ name }) => name));
      return new Set([...marks].filter(([other]) => !held.has(lockOf(other))).map(([, id]) => id));
    },
    mark(id) {
      if (id === undefined) return unmark();
      if (document.hidden) return;
      lastChange = Date.now();
      if (marked !== id) withStorage((place) => place.setItem(own, id));
      marked = id;
      timer ??= setTimeout(unmarkWhenQuiet, quietMs);
    },
  };
}

const keysOf = (place: Storage): string[] =>
  Array.from({ length: place.length }, (_, index) => place.key(index) ?? "").filter((key) => key.startsWith(prefix));
