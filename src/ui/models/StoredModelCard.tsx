// One model that is stored in this browser: what it is, and one row of buttons to use, verify, save and delete it. What came of them is
// said in the card itself.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { errorCodeOf } from "#engine/errors.ts";
import { baseOf } from "#chat/models/storage.ts";
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
  const { actions } = storage;
  const selectedId = models.state.value.selected.id;
  const t = useTexts();
  const [asking, setAsking] = useState(false);
  const [note, setNote] = useState<NoteState>();
  const underWay = downloads.state.value.find(({ id }) => id === model.id);
  const name = model.name === "" ? (underWay?.name ?? model.id) : model.name;
  const isAdapter = model.architecture === "llava-adapter";
  const usable = model.complete && (!isAdapter || baseOf(model, storage.state.value.stored ?? []) !== undefined);

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
  const verify = async (): Promise<NoteState> => {
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
  const save = async (): Promise<NoteState> => {
    const zip = await actions.exportPackage(model.id);
    if (zip === "incomplete") return { tone: "bad", text: t.storage.incomplete };
    if (zip === "too-large") return { tone: "bad", text: t.storage.tooLarge };
    storage.saveFile(zip, `${name.replace(/[^\p{L}\p{N}.-]+/gu, "-")}.zip`);
    return { tone: "good", text: t.storage.saved };
  };
  const remove = async (): Promise<NoteState | undefined> => {
    if ((await actions.forget(model.id)) === "in-use") return { tone: "bad", text: t.storage.inUse };
    props.onRemoved(name);
    return undefined;
  };

  const badge =
    model.id === selectedId
      ? t.storage.selected
      : models.loadedIds.value.includes(model.id)
        ? t.storage.loaded
        : undefined;
  const buttons = asking ? (
    <div class="card-actions" role="group" aria-label={t.storage.reallyRemove(name)}>
      <span>{t.storage.reallyRemove(name)}</span>
      <button
        type="button"
        class="button button-danger"
        onClick={() => {
          setAsking(false);
          act(t.storage.removing, remove);
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
      {usable && model.id !== selectedId && (
        <button type="button" class="button button-primary" disabled={working} onClick={() => onUse(model.id)}>
          {t.storage.use}
        </button>
      )}
      <button
        type="button"
        class="button"
        disabled={working}
        aria-label={t.storage.verifyModel(name)}
        onClick={() => act(t.storage.verifying("0"), verify)}
      >
        {t.storage.verify}
      </button>
      <button
        type="button"
        class="button"
        disabled={working || !model.complete}
        aria-label={t.storage.saveModel(name)}
        onClick={() => act(t.storage.saving, save)}
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
  return (
    <ModelCard testId="stored-model" name={name} facts={factsOf(t, model, usable)} badge={badge} actions={buttons}>
      <Note state={note} />
    </ModelCard>
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
