// The buttons that pick files or a folder.
//   data-testid="files-input", "folder-input"
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { GivenFile } from "#eval/files/given-files.ts";
import { pickedFiles } from "./use-given-files.ts";

interface FilePickersProps {
  readonly filesLabel: string;
  readonly folderLabel: string;
  /** As in a file input; every file by default. */
  readonly accept?: string;
  readonly onGiven: (files: readonly GivenFile[]) => void;
}

/** Preact's types don't know it. */
const wholeFolder = { webkitdirectory: true };

export function FilePickers({ filesLabel, folderLabel, accept, onGiven }: FilePickersProps): JSX.Element {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const give = ({ currentTarget }: { readonly currentTarget: HTMLInputElement }): void => {
    const given = pickedFiles(currentTarget);
    if (given.length > 0) onGiven(given);
  };
  return (
    <>
      <button type="button" class="button" onClick={() => files.current?.click()}>
        {filesLabel}
      </button>
      <button type="button" class="button" onClick={() => folder.current?.click()}>
        {folderLabel}
      </button>
      <input ref={files} type="file" accept={accept} multiple hidden data-testid="files-input" onChange={give} />
      <input ref={folder} {...wholeFolder} type="file" multiple hidden data-testid="folder-input" onChange={give} />
    </>
  );
}
