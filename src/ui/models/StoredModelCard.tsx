// The card of one model that is stored in this browser: its facts, and one row of buttons to use, verify, save and delete it. The card
// itself shows their results. Models that are on their way have none.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { errorCodeOf } from "#engine/errors.ts";
import { baseOf } from "#chat/models/storage.ts";
import { wantedAgain } from "#chat/models/look-up/unfinished.ts";
import type { StoredPackageInfo } from "#worker/api.ts";
import { formatNumber, formatSize } from "#ui/parts/format.ts";
import { ModelCard } from "./ModelCard.tsx";
import type { ModelFeatures } from "./model-features.ts";
import { Note, type NoteState } from "#ui/notes/Note.tsx";
import { useTexts, type Texts } from "#ui/texts/texts.ts";

interface StoredModelCardProps extends Pick<ModelFeatures, "downloads" | "models" | "storage"> {
  readonly model: StoredPackageInfo;
  /** An action is under way, in this card or another. */
  readonly working: boolean;
  readonly onWorking: (working: boolean) => void;
  readonly onRemoved: (name: string) => void;
  readonly onUse: (id: string) => void;
}

export function StoredModelCard(props: StoredModelCardProps): JSX.Element {
  const { model, models, storage, downloads, working, onUse } = props;
  const selectedId = models.state.value.selected.id;
  const t = useTexts();
  const name = model.name === "" ? model.id : model.name;
  const isAdapter = model.architecture === "llava-adapter";
  const usable = model.complete && (!isAdapter || baseOf(model, storage.state.value.stored ?? []) !== undefined);

  const { note, verify, save, remove } = useCardActions(props, name);
  const badge =
    model.id === selectedId
      ? t.storage.selected
      : models.loadedIds.value.includes(model.id)
        ? t.storage.loaded
        : undefined;
  const isBuiltIn = model.id === models.builtIn.id;
  const facts = [...(isBuiltIn ? [t.demoModel] : []), ...factsOf(t, model, usable)];
  const again = wantedAgain(model);
  const dropAgain = model.unfinished !== undefined && model.unfinished.place === undefined;
  const buttons = (
    <CardButtons
      name={name}
      onResume={again && (() => downloads.actions.start(again, "use"))}
      working={working}
      complete={model.complete}
      onUse={usable && model.id !== selectedId ? () => onUse(model.id) : undefined}
      onVerify={verify}
      onSave={save}
      onRemove={remove}
    />
  );
  return (
    <ModelCard testId="stored-model" name={name} facts={facts} badge={badge} actions={buttons}>
      {isBuiltIn && <p class="model-card-says">{t.knowsBasics(name)}</p>}
      {dropAgain && <p class="dialog-note">{t.zoo.dropAgain}</p>}
      <Note state={note} />
    </ModelCard>
  );
}

interface CardActions {
  /** What the latest action does or did. */
  readonly note: NoteState | undefined;
  readonly verify: () => void;
  readonly save: () => void;
  readonly remove: () => void;
}

/** The card's actions on the stored files. Each shows a note while it runs and its result after; a failed one offers a retry. */
function useCardActions(props: StoredModelCardProps, name: string): CardActions {
  const { model, storage, downloads } = props;
  const { actions } = storage;
  const t = useTexts();
  const [note, setNote] = useState<NoteState>();
  const act = (doing: string, work: () => Promise<NoteState | undefined>): void => {
    const retry = (): void => act(doing, work);
    props.onWorking(true);
    setNote({ tone: "busy", text: doing });
    void work()
      .catch((error: unknown): NoteState => {
        console.warn("The stored models:", error);
        const code = errorCodeOf(error);
        return { tone: "bad", text: code === "internal" ? t.storage.failed : t.errors[code] };
      })
      .then((said) => {
        setNote(said?.tone === "bad" ? { ...said, retry } : said);
        props.onWorking(false);
      });
  };
  const verifyFiles = async (): Promise<NoteState> => {
    const found = await actions.verify(model.id, (loaded, total) => {
      const share = loaded / Math.max(1, total);
      setNote({ tone: "busy", text: t.storage.verifying(formatNumber(t, Math.floor(share * 100))), share });
    });
    if (found === "in-use") return { tone: "bad", text: t.storage.inUse };
    if (found.damaged === 0)
      return found.missing > 0
        ? { tone: "bad", text: t.storage.incomplete }
        : { tone: "good", text: t.storage.verified };
    const damaged = formatNumber(t, found.damaged);
    if (model.baseUrl === "") return { tone: "bad", text: t.storage.mendedFile(damaged) };
    const { id, baseUrl, architecture = "llava", totalBytes = 0 } = model;
    downloads.actions.start({ id, name, baseUrl, architecture, bytes: totalBytes }, "repair");
    return { tone: "busy", text: t.storage.mended(damaged) };
  };
  const saveZip = async (): Promise<NoteState> => {
    const zip = await actions.exportPackage(model.id);
    if (zip === "incomplete") return { tone: "bad", text: t.storage.incomplete };
    if (zip === "too-large") return { tone: "bad", text: t.storage.tooLarge };
    storage.saveFile(zip, `${name.replace(/[^\p{L}\p{N}.-]+/gu, "-")}.zip`);
    return { tone: "good", text: t.storage.saved };
  };
  const removeFiles = async (): Promise<NoteState | undefined> => {
    if ((await actions.forget(model.id)) === "in-use") return { tone: "bad", text: t.storage.inUse };
    props.onRemoved(name);
    return undefined;
  };
  return {
    note,
    verify: () => act(t.storage.verifying("0"), verifyFiles),
    save: () => act(t.storage.saving, saveZip),
    remove: () => act(t.storage.removing, removeFiles),
  };
}

interface CardButtonsProps {
  readonly name: string;
  readonly working: boolean;
  readonly complete: boolean;
  /** Goes on with a conversion that is not finished. */
  readonly onResume: (() => void) | undefined;
  /** Absent where the model is in use already, or cannot be used. */
  readonly onUse: (() => void) | undefined;
  readonly onVerify: () => void;
  readonly onSave: () => void;
  readonly onRemove: () => void;
}

/** The row of buttons. Delete asks for confirmation in the same row. */
function CardButtons(props: CardButtonsProps): JSX.Element {
  const { name, working, complete, onResume, onUse, onVerify, onSave, onRemove } = props;
  const t = useTexts();
  const [asking, setAsking] = useState(false);
  return asking ? (
    <div class="card-actions" role="group" aria-label={t.storage.reallyRemove(name)}>
      <span>{t.storage.reallyRemove(name)}</span>
      <button
        type="button"
        class="button button-danger"
        onClick={() => {
          setAsking(false);
          onRemove();
        }}
      >
        {t.storage.remove}
      </button>
      <button type="button" class="button" onClick={() => setAsking(false)}>
        {t.storage.cancel}
      </button>
    </div>
  ) : (
    <div class="card-actions">
      {onResume !== undefined && (
        <button
          type="button"
          class="button button-primary"
          disabled={working}
          aria-label={t.storage.downloads.resumeModel(name)}
          onClick={onResume}
        >
          {t.storage.downloads.resume}
        </button>
      )}
      {onUse !== undefined && (
        <button type="button" class="button button-primary" disabled={working} onClick={onUse}>
          {t.storage.use}
        </button>
      )}
      <button
        type="button"
        class="button"
        disabled={working}
        aria-label={t.storage.verifyModel(name)}
        onClick={onVerify}
      >
        {t.storage.verify}
      </button>
      <button
        type="button"
        class="button"
        disabled={working || !complete}
        aria-label={t.storage.saveModel(name)}
        onClick={onSave}
      >
        {t.storage.save}
      </button>
      <button
        type="button"
        class="button"
        disabled={working}
        aria-label={t.storage.removeModel(name)}
        onClick={() => setAsking(true)}
      >
        {t.storage.remove}
      </button>
    </div>
  );
}

/** "9.8 MB", "4.1 MB of 9.8 MB", licence, last use. */
function factsOf(t: Texts, model: StoredPackageInfo, usable: boolean): readonly string[] {
  const size = formatSize(t, model.storedBytes);
  return [
    ...(model.architecture === "llava-adapter"
      ? [(usable ? t.storage.adapterOf : t.storage.adapterNeeds)(model.baseName ?? "")]
      : []),
    model.complete || model.totalBytes === undefined ? size : t.storage.part(size, formatSize(t, model.totalBytes)),
    ...(model.complete ? [] : [t.storage.unfinished]),
    model.license,
    model.usedAt === undefined
      ? t.storage.neverUsed
      : t.storage.lastUsed(new Date(model.usedAt).toLocaleDateString(t.tag)),
  ].filter((fact) => fact !== "");
}
