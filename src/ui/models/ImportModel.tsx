// A model from this device, picked here or dropped on the page: a package as a zip or a folder, which is imported, or a checkpoint, whose
// cost is told and which is then converted.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { errorCodeOf } from "#engine/errors.ts";
import { isCheckpoint } from "#chat/models/look-up/package-file.ts";
import type { PreviewedModel } from "#chat/models/look-up/look-up.ts";
import type { StoredModels } from "#chat/models/storage.ts";
import { Note, type NoteState } from "#ui/notes/Note.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { LookedUp } from "#ui/models/offer/LookedUp.tsx";
import type { DownloadsFeature } from "./model-features.ts";
import { useModelOffer } from "#ui/models/offer/use-model-offer.ts";

/** A package's zip, or files by path: those of a package's folder or of a checkpoint. */
export type ModelPackage = File | ReadonlyMap<string, File>;

interface ImportModelProps {
  readonly downloads: DownloadsFeature;
  readonly onStart: (model: PreviewedModel) => void;
  readonly onFromMemory: (model: PreviewedModel) => void;
  readonly working: boolean;
  readonly onWorking: (working: boolean) => void;
  /** What was dropped on the page; a package is imported at once. */
  readonly dropped: ModelPackage | undefined;
  readonly onImport: StoredModels["importPackage"];
}

export function ImportModel(props: ImportModelProps): JSX.Element {
  const { downloads, working, onWorking, dropped, onImport } = props;
  const t = useTexts();
  const offer = useModelOffer(downloads.lookUp, downloads.hubHost);
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
  const takeGiven = (given: ModelPackage): void => {
    setNote(undefined);
    offer.reset();
    if (given instanceof Map && isCheckpoint([...given.keys()])) void offer.look({ files: given });
    else void importFrom(given);
  };
  useEffect(() => {
    if (dropped !== undefined) takeGiven(dropped);
  }, [dropped]);
  const take = (input: HTMLInputElement): void => {
    const files = [...(input.files ?? [])];
    input.value = "";
    const first = files[0];
    if (first === undefined) return;
    const isZip = files.length === 1 && first.name.toLowerCase().endsWith(".zip");
    const pathOf = (file: File): string => (file.webkitRelativePath === "" ? file.name : file.webkitRelativePath);
    takeGiven(isZip ? first : new Map(files.map((file) => [pathOf(file), file])));
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
      <Note state={offer.state === "looking" ? { tone: "busy", text: t.storage.lookingAt } : note} />
      <LookedUp {...props} offer={offer} />
      <input
        ref={zip}
        type="file"
        hidden
        multiple
        accept=".zip,.safetensors,.gguf,.bin,.json,.model,.jinja,.txt"
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
