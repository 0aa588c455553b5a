// Notes which conversation is being drawn, so that one that ended its page is not drawn again by the next visit. A note of a page that
// is still open says nothing: each page holds a lock of its name, which the browser takes back when the page dies, however it does.
import { newId } from "#chat/new-id.ts";

export interface DrawingMark {
  /** Ids of the conversations that were being drawn when their page ended. */
  suspects(): Promise<ReadonlySet<string>>;
  /** Something of this conversation is about to be drawn, now and after every change; undefined for none. */
  drawing(id: string | undefined): void;
}

const quietMs = 1500;
const prefix = "llava-web-drawing:";
const lockOf = (page: string): string => `llava-web-page:${page}`;

/** The marks of this page; the browser's own storage and locks by default. */
export function createDrawingMark(
  storage: () => Storage = () => localStorage,
  locks: LockManager | undefined = "locks" in navigator ? navigator.locks : undefined,
): DrawingMark {
  const page = newId();
  const own = prefix + page;
  // Held until the page goes.
  void locks?.request(lockOf(page), () => new Promise<void>(() => undefined)).catch(() => undefined);
  let marked: string | undefined;
  let lastChange = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const keep = (work: (place: Storage) => void): void => {
    try {
      work(storage());
    } catch {
      // A browser that keeps nothing opens no conversation by itself either.
    }
  };
  const unmark = (): void => {
    if (marked !== undefined) keep((place) => place.removeItem(own));
    marked = undefined;
  };
  /** A page that hangs does not come here. */
  const look = (): void => {
    const left = lastChange + quietMs - Date.now();
    timer = left > 0 ? setTimeout(look, left) : undefined;
    if (left > 0) return;
    // What was drawn well is no suspect any more, whatever ended an earlier page.
    const drawn = marked;
    unmark();
    keep((place) => {
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
      keep((place) => {
        for (const key of keysOf(place)) if (key !== own) marks.set(key.slice(prefix.length), place.getItem(key) ?? "");
      });
      if (marks.size === 0) return new Set();
      const held = new Set((await locks?.query())?.held?.map(({ name }) => name));
      return new Set([...marks].filter(([other]) => !held.has(lockOf(other))).map(([, id]) => id));
    },
    drawing(id) {
      if (id === undefined) return unmark();
      if (document.hidden) return;
      lastChange = Date.now();
      if (marked !== id) keep((place) => place.setItem(own, id));
      marked = id;
      timer ??= setTimeout(look, quietMs);
    },
  };
}

const keysOf = (place: Storage): string[] =>
  Array.from({ length: place.length }, (_, index) => place.key(index) ?? "").filter((key) => key.startsWith(prefix));
