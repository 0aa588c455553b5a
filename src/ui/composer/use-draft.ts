// The state of the question that the user is writing: its text and its pictures, including those that are still being opened or failed.
import { useRef, useState } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import { opened, opening, picturesOf, ready, type DraftPicture } from "#chat/pictures/draft-pictures.ts";
import { newId } from "#chat/new-id.ts";
import type { OpenedPicture } from "#chat/pictures/pictures.web.ts";

export interface Draft {
  readonly text: string;
  /** All pictures that were added, in order. */
  readonly given: readonly DraftPicture[];
  /** The pictures that can be sent. */
  readonly pictures: readonly Picture[];
  /** The draft was restored from a stored one, whose pictures have not been loaded yet. */
  readonly coming: boolean;
  /** How many pictures are still being opened. */
  readonly opening: number;
  setText(text: string): void;
  addFiles(files: readonly File[]): void;
  /** Adds a picture that does not come from a file. `open` is called again on each retry. */
  add(name: string, open: () => Promise<OpenedPicture>): void;
  addPicture(picture: Picture): void;
  /** Tries again to open a picture that failed. */
  retry(id: string): void;
  /** Removes a picture; cancels opening it if that is under way. */
  remove(id: string): void;
  /** Replaces a picture by another. */
  replace(pictureId: string, picture: Picture): void;
  /**
   * Replaces the draft by one that was kept; its pictures may arrive later. With `joins`, what the user has typed and added meanwhile
   * stays beside it.
   */
  start(text: string, pictures: Promise<readonly Picture[]>, joins: boolean): void;
  /** Clears the draft after it was sent. */
  clear(): void;
}

/** What a draft starts with; empty by default. */
interface DraftStart {
  readonly text: string;
  readonly pictures: readonly Picture[];
}

/** A draft that opens files with `open`. */
export function useDraft(
  open: (file: Blob, name: string) => Promise<OpenedPicture>,
  start: DraftStart = { text: "", pictures: [] },
): Draft {
  const [text, setText] = useState(start.text);
  const [given, setGiven] = useState(() => ready(start.pictures));
  const [coming, setComing] = useState(false);
  const sources = useRef(new Map<string, { readonly name: string; readonly open: () => Promise<OpenedPicture> }>());
  /** Counts the drafts that were started, so that pictures that arrive late are not added to the next draft. */
  const started = useRef(0);
  const openFrom = (id: string): void => {
    const source = sources.current.get(id);
    if (source === undefined) return;
    const { name } = source;
    setGiven((held) => opening(held, { id, name }));
    // An error concerns this picture only and never keeps the question from being sent.
    void Promise.resolve()
      .then(source.open)
      .catch((error: unknown): OpenedPicture => {
        console.warn(`${name} could not be opened:`, error);
        return { ok: false, name, problem: "unreadable" };
      })
      .then((result) => setGiven((held) => opened(held, id, result)));
  };
  const add: Draft["add"] = (name, openIt) => {
    const id = newId();
    sources.current.set(id, { name, open: openIt });
    openFrom(id);
  };
  return {
    text,
    given,
    pictures: picturesOf(given),
    coming,
    opening: given.filter(({ state }) => state === "opening").length,
    setText,
    addFiles: (files) => files.forEach((file) => add(file.name, () => open(file, file.name))),
    add,
    addPicture: (picture) => setGiven((held) => [...held, ...ready([picture])]),
    retry: openFrom,
    remove(id) {
      sources.current.delete(id);
      setGiven((held) => held.filter((one) => one.id !== id));
    },
    replace: (pictureId, picture) =>
      setGiven((held) =>
        held.map((one) =>
          one.state === "ready" && one.picture.id === pictureId ? { ...one, name: picture.name, picture } : one,
        ),
      ),
    start(kept, pictures, joins) {
      const mine = ++started.current;
      setComing(true);
      if (joins) {
        setText((typed) => (typed === "" ? kept : typed));
      } else {
        sources.current.clear();
        setText(kept);
        setGiven([]);
      }
      void pictures.then((came) => {
        if (started.current !== mine) return;
        if (came.length > 0) setGiven((held) => [...ready(came), ...held]);
        setComing(false);
      });
    },
    clear() {
      started.current++;
      setComing(false);
      sources.current.clear();
      setText("");
      setGiven([]);
    },
  };
}
