// The question being put together: its text, its pictures, the files still being opened and those that could not be used.
import { useRef, useState } from "preact/hooks";
import type { Picture } from "#chat/conversation.ts";
import type { OpenedPicture } from "#chat/pictures.web.ts";

type Problem = Extract<OpenedPicture, { ok: false }>;

export interface Draft {
  readonly text: string;
  readonly pictures: readonly Picture[];
  readonly opening: number;
  readonly problems: readonly Problem[];
  setText(text: string): void;
  addFiles(files: readonly File[]): void;
  /** Adds a picture that comes from elsewhere than a file. */
  addOpened(opened: Promise<OpenedPicture>): void;
  remove(id: string): void;
  /** Puts a picture in the place of another. */
  replace(id: string, picture: Picture): void;
  /** Empties it after sending. */
  clear(): void;
}

/** What a draft starts with; empty by default. */
interface DraftStart {
  readonly text: string;
  readonly pictures: readonly Picture[];
}

/** A draft that opens files with `open`; pictures keep the order in which they were given. */
export function useDraft(
  open: (file: Blob, name: string) => Promise<OpenedPicture>,
  start: DraftStart = { text: "", pictures: [] },
): Draft {
  const [text, setText] = useState(start.text);
  const [pictures, setPictures] = useState<readonly Picture[]>(start.pictures);
  const [opening, setOpening] = useState(0);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const cleared = useRef(0);
  const add = (coming: readonly Promise<OpenedPicture>[]): void => {
    if (coming.length === 0) return;
    setProblems([]);
    setOpening((count) => count + coming.length);
    const before = cleared.current;
    void Promise.all(coming).then((opened) => {
      setOpening((count) => count - coming.length);
      // What was given to a draft that has been emptied since does not belong to the next one.
      if (cleared.current !== before) return;
      setPictures((held) => [...held, ...opened.flatMap((one) => (one.ok ? [one.picture] : []))]);
      setProblems((held) => [...held, ...opened.flatMap((one) => (one.ok ? [] : [one]))]);
    });
  };
  return {
    text,
    pictures,
    opening,
    problems,
    setText,
    addFiles: (files) => add(files.map((file) => open(file, file.name))),
    addOpened: (opened) => add([opened]),
    replace: (id, picture) => setPictures((held) => held.map((one) => (one.id === id ? picture : one))),
    remove: (id) => setPictures((held) => held.filter((picture) => picture.id !== id)),
    clear() {
      cleared.current++;
      setText("");
      setPictures([]);
      setProblems([]);
    },
  };
}
