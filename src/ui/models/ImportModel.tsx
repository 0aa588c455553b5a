// A model package from a zip or a folder: picked here, or dropped on the page.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { errorCodeOf } from "#engine/errors.ts";
import type { StoredModels } from "#chat/models/storage.ts";
import { Note, type NoteState } from "#ui/notes/Note.tsx";
import { useTexts } from "#ui/texts/texts.ts";

/** The package: a zip, or the files of a folder by path. */
export type ModelPackage = Blob | ReadonlyMap<string, Blob>;

interface ImportModelProps {
  readonly working: boolean;
  readonly onWorking: (working: boolean) => void;
  /** A package that was dropped on the page; it is imported at once. */
  readonly dropped: ModelPackage | undefined;
  readonly onImport: StoredModels["importPackage"];
}

export function ImportModel({ working, onWorking, dropped, onImport }: ImportModelProps): JSX.Element {
  const t = useTexts();
  const zip = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [note, setNote] = useState<NoteState>();
  const importFrom = async (given: ModelPackage): Promise<void> => {
    onWorking(true);
    setNote({ tone: "busy", text: t.storage.importing });
    const retry = (): void => void importFrom(given);
    try {
      const imported = await onImport(given);
      if (imported === "in-use") setNote({ tone: "bad", text: t.storage.inUse, retry });
      else if (imported.ok) setNote({ tone: "good", text: t.storage.imported(imported.name) });
      else setNote({ tone: "bad", text: t.storage.importProblems[imported.problem] });
    } catch (error) {
      console.warn("The import of a model:", error);
      const code = errorCodeOf(error);
      setNote({ tone: "bad", text: code === "internal" ? t.storage.failed : t.errors[code], retry });
    }
    onWorking(false);
  };
  useEffect(() => {
    if (dropped !== undefined) void importFrom(dropped);
  }, [dropped]);
  const take = (input: HTMLInputElement): void => {
    const files = [...(input.files ?? [])];
    input.value = "";
    const first = files[0];
    if (first === undefined) return;
    const isZip = files.length === 1 && first.name.toLowerCase().endsWith(".zip");
    const pathOf = (file: File): string => (file.webkitRelativePath === "" ? file.name : file.webkitRelativePath);
    void importFrom(isZip ? first : new Map(files.map((file) => [pathOf(file), file])));
  };
  return (
    <div class="import-model">
      <p class="field">
        <span>{t.storage.importTitle}</span>
        <small>{t.storage.importHint}</small>
      </p>
      <p class="card-actions">
        <button type="button" class="button" disabled={working} onClick={() => zip.current?.click()}>
          {t.storage.importButton}
        </button>
        <button type="button" class="button" disabled={working} onClick={() => folder.current?.click()}>
          {t.storage.importFolder}
        </button>
      </p>
      <Note state={note} />
      <input
        ref={zip}
        type="file"
        hidden
        accept=".zip"
        data-testid="package-input"
        onChange={(event) => take(event.currentTarget)}
      />
      <input
        ref={(input) => {
          folder.current = input;
          input?.setAttribute("webkitdirectory", "");
        }}
        type="file"
        hidden
        multiple
        data-testid="folder-input"
        onChange={(event) => take(event.currentTarget)}
      />
    </div>
  );
}
