// Listens on the whole page for drops, pastes and the Escape key, and hands them to the given handlers.
import { useEffect, useRef, useState } from "preact/hooks";
import { droppedFolders, readFolders } from "#ui/parts/dropped-folder.ts";
import { readDrop, readPaste, type Given } from "./given-data.ts";

interface PageHandlers {
  readonly onFiles: (files: readonly File[], target: EventTarget | null) => void;
  /** Folders were dropped; paths start with a folder's name. */
  readonly onFolder: (files: ReadonlyMap<string, File>, target: EventTarget | null) => void;
  /** A picture was dragged out of another page, or pasted without its bytes. */
  readonly onAddress: (address: string, target: EventTarget | null) => void;
  /** Words that belong into the question, and that no text field inserts by itself. */
  readonly onWords: (words: string) => void;
  readonly onEscape: () => void;
}

/** True while something that the page takes is dragged over it. */
export function usePageEvents(handlers: PageHandlers): boolean {
  const [dragging, setDragging] = useState(false);
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    const page = new AbortController();
    const { signal } = page;
    const drags = listenForDrags(signal, setDragging);
    const take = (given: Given, target: EventTarget | null): void => {
      if (given.kind === "files") latest.current.onFiles(given.files, target);
      else if (given.kind === "address") latest.current.onAddress(given.address, target);
      else latest.current.onWords(given.words);
    };
    addEventListener(
      "drop",
      (event) => {
        drags.end();
        if (!drags.mayTake(event) || event.dataTransfer === null) return;
        const folders = droppedFolders(event.dataTransfer);
        const given = readDrop(event.dataTransfer);
        // A text field inserts a link's words by itself, where they were dropped.
        if (given?.kind === "words" && fieldOf(event.target) !== undefined) return;
        // By default the browser would leave the page and open what was dropped.
        event.preventDefault();
        const { target } = event;
        if (folders.length > 0) void readFolders(folders).then((files) => latest.current.onFolder(files, target));
        else if (given !== undefined) take(given, target);
      },
      { signal },
    );
    addEventListener(
      "paste",
      (event) => {
        const field = fieldOf(event.target);
        const isOthers = (field !== undefined && field.id !== "question") || document.querySelector("dialog[open]");
        if (event.defaultPrevented || event.clipboardData === null || isOthers) return;
        const given = readPaste(event.clipboardData);
        if (given === undefined || (given.kind === "words" && given.plain && field !== undefined)) return;
        event.preventDefault();
        take(given, event.target);
      },
      { signal },
    );
    addEventListener(
      "keydown",
      (event) => {
        // In a dialog, Escape closes the dialog.
        if (
          event.key !== "Escape" ||
          event.shiftKey ||
          event.isComposing ||
          document.querySelector("dialog[open]") !== null
        )
          return;
        latest.current.onEscape();
      },
      { signal },
    );
    return () => page.abort();
  }, []);
  return dragging;
}

interface Drags {
  /** Whether the page takes what is dragged. */
  readonly mayTake: (event: DragEvent) => boolean;
  /** The drag is over: something was dropped. */
  readonly end: () => void;
}

/** Accepts drags over the page until the signal, and reports whether one is under way. */
function listenForDrags(signal: AbortSignal, onDragging: (dragging: boolean) => void): Drags {
  // dragenter and dragleave fire for every element on the way; only their difference tells whether the pointer is still over the page.
  let depth = 0;
  const setDepth = (next: number): void => {
    depth = Math.max(0, next);
    onDragging(depth > 0);
  };
  // A drag that started on this page is not taken.
  let own = false;
  const mayTake = ({ dataTransfer }: DragEvent): boolean =>
    !own && dataTransfer?.types.some((type) => type === "Files" || type === "text/uri-list") === true;
  addEventListener("dragstart", () => (own = true), { signal });
  addEventListener("dragend", () => (own = false), { signal });
  addEventListener("dragenter", (event) => mayTake(event) && setDepth(depth + 1), { signal });
  addEventListener("dragleave", (event) => mayTake(event) && setDepth(depth - 1), { signal });
  addEventListener(
    "dragover",
    (event) => {
      if (!mayTake(event)) return;
      event.preventDefault();
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy";
    },
    { signal },
  );
  return { mayTake, end: () => setDepth(0) };
}

/** The text field that an event happens in. */
function fieldOf(target: EventTarget | null): HTMLElement | undefined {
  if (!(target instanceof HTMLElement)) return undefined;
  const field = target.closest<HTMLElement>("textarea, select, input, [contenteditable]:not([contenteditable=false])");
  return field?.matches("input:is([type=checkbox], [type=radio], [type=range], [type=button])") === true
    ? undefined
    : (field ?? undefined);
}
