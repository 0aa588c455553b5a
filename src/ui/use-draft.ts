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
  remove(id: string): void;
  /** Empties it after sending. */
  clear(): void;
}

/** A draft that opens files with `open`; pictures keep the order in which they were given. */
export function useDraft(open: (file: Blob, name: string) => Promise<OpenedPicture>): Draft {
  const [text, setText] = useState("");
  const [pictures, setPictures] = useState<readonly Picture[]>([]);
  const [opening, setOpening] = useState(0);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const cleared = useRef(0);
  return {
    text,
    pictures,
    opening,
    problems,
    setText,
    addFiles(files) {
      if (files.length === 0) return;
      setProblems([]);
      setOpening((count) => count + files.length);
      const before = cleared.current;
      void Promise.all(files.map((file) => open(file, file.name))).then((opened) => {
        setOpening((count) => count - files.length);
        // What was given to a draft that has been emptied since does not belong to the next one.
        if (cleared.current !== before) return;
        setPictures((held) => [...held, ...opened.flatMap((one) => (one.ok ? [one.picture] : []))]);
        setProblems((held) => [...held, ...opened.flatMap((one) => (one.ok ? [] : [one]))]);
      });
    },
    remove: (id) => setPictures((held) => held.filter((picture) => picture.id !== id)),
    clear() {
      cleared.current++;
      setText("");
      setPictures([]);
      setProblems([]);
    },
  };
}
