// Files that are dropped or pasted anywhere on the page, and the Escape key. Knows nothing of what becomes of them.
import { useEffect, useRef, useState } from "preact/hooks";
import { droppedFolders, readFolders } from "./dropped-folder.ts";

interface PageHandlers {
  readonly onFiles: (files: readonly File[]) => void;
  /** Folders were dropped; paths start with a folder's name. */
  readonly onFolder: (files: ReadonlyMap<string, File>) => void;
  readonly onEscape: () => void;
}

/** True while files are dragged over the page. */
export function usePageEvents(handlers: PageHandlers): boolean {
  const [dragging, setDragging] = useState(false);
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    const page = new AbortController();
    const { signal } = page;
    // Enter and leave come for every element on the way; only their balance says whether the pointer is still here.
    let depth = 0;
    const setDepth = (next: number): void => {
      depth = Math.max(0, next);
      setDragging(depth > 0);
    };
    const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
    addEventListener("dragenter", (event) => carriesFiles(event) && setDepth(depth + 1), { signal });
    addEventListener("dragleave", (event) => carriesFiles(event) && setDepth(depth - 1), { signal });
    addEventListener(
      "dragover",
      (event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy";
      },
      { signal },
    );
    addEventListener(
      "drop",
      (event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        setDepth(0);
        const folders = droppedFolders(event.dataTransfer);
        if (folders.length > 0) void readFolders(folders).then((files) => latest.current.onFolder(files));
        else latest.current.onFiles([...(event.dataTransfer?.files ?? [])]);
      },
      { signal },
    );
    addEventListener(
      "paste",
      (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length === 0) return;
        event.preventDefault();
        latest.current.onFiles(files);
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
