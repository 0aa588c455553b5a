// Files and folders that are dropped anywhere on a page, or picked: as paths and bytes. Interprets nothing.
import { useEffect, useState } from "preact/hooks";
import type { GivenFile } from "#eval/files/given-files.ts";
import { droppedFolders, readFolders } from "#ui/parts/dropped-folder.ts";

/** The pictures of the largest benchmarks are some ten thousands. */
const mostFiles = 200_000;

/** Calls `give` with what is dropped; says whether something is held over the page. */
export function useDrop(give: (files: readonly GivenFile[]) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const onDragOver = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      setOver(true);
    };
    const onDragLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent): void => {
      event.preventDefault();
      setOver(false);
      void droppedFiles(event.dataTransfer).then((files) => {
        if (files.length > 0) give(files);
      });
    };
    addEventListener("dragover", onDragOver);
    addEventListener("dragleave", onDragLeave);
    addEventListener("drop", onDrop);
    return () => {
      removeEventListener("dragover", onDragOver);
      removeEventListener("dragleave", onDragLeave);
      removeEventListener("drop", onDrop);
    };
  }, [give]);
  return over;
}

/** Files stand beside folders in the order of the drop; the browser empties the DataTransfer after the event. */
async function droppedFiles(transfer: DataTransfer | null): Promise<GivenFile[]> {
  const folders = droppedFolders(transfer);
  const names = new Set(folders.map(({ name }) => name));
  // A folder is among the files as one without bytes.
  const files = [...(transfer?.files ?? [])].filter((file) => !(names.has(file.name) && file.type === ""));
  const inner = folders.length === 0 ? new Map<string, File>() : await readFolders(folders, mostFiles);
  return [
    ...files.map((blob): GivenFile => ({ path: blob.name, blob })),
    ...[...inner].map(([path, blob]): GivenFile => ({ path, blob })),
  ];
}

/** The files of a picker; those of a folder have their paths in it. */
export function pickedFiles(input: HTMLInputElement): readonly GivenFile[] {
  const files = [...(input.files ?? [])];
  // The same file may be picked again.
  input.value = "";
  return files.map((blob) => ({ path: blob.webkitRelativePath === "" ? blob.name : blob.webkitRelativePath, blob }));
}
