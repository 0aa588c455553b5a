// The models stored in this browser: how large, when last used; verified, deleted, saved as a file; another one by address or file.
//   data-testid="stored-model": one each · "storage-used": how much room is taken · "storage-outcome": what came of an action
//   data-testid="model-offer" with data-fit: what lies at the address · "package-input", "folder-input": the file pickers
import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { errorCodeOf } from "#engine/errors.ts";
import type { Download, Downloads } from "#chat/downloads.ts";
import { baseOf, type PreviewedModel, type StorageState, type StoredModels } from "#chat/storage.ts";
import type { DeviceSummary, StoredModelInfo } from "#worker/api.ts";
import { hubModels, type HubModelRecord } from "#zoo/hub-models.ts";
import { Dialog } from "./Dialog.tsx";
import { DownloadNotes } from "./DownloadNotes.tsx";
import { formatNumber, formatSize } from "./format.ts";
import { useTexts, type Texts } from "./texts/texts.ts";

interface StorageDialogProps {
  readonly state: StorageState;
  readonly actions: Omit<StoredModels, "get" | "subscribe">;
  readonly downloads: readonly Download[];
  readonly downloadActions: Omit<Downloads, "get" | "subscribe" | "restore" | "followOtherTabs">;
  /** A package that was dropped on the page: imported at once. */
  readonly dropped?: Blob | ReadonlyMap<string, Blob> | undefined;
  /** What the device computes with; undefined while that is not known. */
  readonly precision: DeviceSummary["precision"] | undefined;
  readonly metered: () => boolean;
  readonly saveFile: (blob: Blob, name: string) => void;
  readonly selectedId: string;
  readonly onUse: (id: string) => void;
  readonly onClose: () => void;
}

/** One action at a time; its outcome is said below the list. */
export function StorageDialog(props: StorageDialogProps): JSX.Element {
  const { state, actions, onClose } = props;
  const t = useTexts();
  const [outcome, setOutcome] = useState("");
  const [working, setWorking] = useState(false);
  const act = (doing: string, work: () => Promise<string>): void => {
    setWorking(true);
    setOutcome(doing);
    void work()
      .catch((error: unknown) => {
        console.warn("The stored models:", error);
        const code = errorCodeOf(error);
        return code === "internal" ? t.storage.failed : t.errors[code];
      })
      .then((said) => {
        setOutcome(said);
        setWorking(false);
      });
  };
  useEffect(() => {
    actions.refresh().catch(() => setOutcome(t.storage.failed));
  }, []);
  const importFiles = (given: Blob | ReadonlyMap<string, Blob>): void =>
    act(t.storage.importing, async () => {
      const imported = await actions.importPackage(given);
      if (imported === "in-use") return t.storage.inUse;
      return imported.ok ? t.storage.imported(imported.name) : t.storage.importProblems[imported.problem];
    });
  useEffect(() => {
    if (props.dropped !== undefined) importFiles(props.dropped);
  }, [props.dropped]);
  return (
    <Dialog title={t.storage.title} onClose={onClose}>
      <p class="dialog-note" data-testid="storage-used">
        {state.usedBytes !== undefined &&
          state.quotaBytes !== undefined &&
          `${t.storage.used(formatSize(t, state.usedBytes), formatSize(t, state.quotaBytes))} `}
        {state.persisted !== undefined && (state.persisted ? t.storage.persisted : t.storage.notPersisted)}
      </p>
      {state.stored === undefined && <p class="dialog-note">{t.storage.looking}</p>}
      {state.stored?.length === 0 && <p class="dialog-note">{t.storage.none}</p>}
      <ul class="stored-models">
        {state.stored?.map((model) => (
          <StoredModel key={model.id} {...props} model={model} working={working} act={act} setOutcome={setOutcome} />
        ))}
      </ul>
      <p role="status" class="dialog-note" data-testid="storage-outcome">
        {outcome}
      </p>
      <DownloadNotes
        downloads={props.downloads}
        actions={props.downloadActions}
        onUse={(id) => {
          props.downloadActions.dismiss(id);
          props.onUse(id);
        }}
        onFromMemory={(download) => useFromMemory(props, download)}
      />
      <AddModel {...props} />
      <ImportModel working={working} onTake={importFiles} />
    </Dialog>
  );
}

function useFromMemory(
  { actions, downloadActions, onUse }: StorageDialogProps,
  model: Download | PreviewedModel,
): void {
  void downloadActions.cancel(model.id);
  actions.add(model);
  onUse(model.id);
}

type Act = (doing: string, work: () => Promise<string>) => void;

interface StoredModelProps extends StorageDialogProps {
  readonly model: StoredModelInfo;
  readonly working: boolean;
  readonly act: Act;
  readonly setOutcome: (sentence: string) => void;
}

function StoredModel(props: StoredModelProps): JSX.Element {
  const { model, actions, working, act, setOutcome, saveFile, selectedId, onUse } = props;
  const t = useTexts();
  const [asking, setAsking] = useState(false);
  const underWay = props.downloads.find(({ id }) => id === model.id);
  const name = model.name === "" ? (underWay?.name ?? model.id) : model.name;
  const size = formatSize(t, model.storedBytes);
  const isAdapter = model.architecture === "llava-adapter";
  const usable = model.complete && (!isAdapter || baseOf(model, props.state.stored ?? []) !== undefined);
  const facts = [
    ...(isAdapter ? [(usable ? t.storage.adapterOf : t.storage.adapterNeeds)(model.baseName ?? "")] : []),
    model.complete || model.totalBytes === undefined ? size : t.storage.part(size, formatSize(t, model.totalBytes)),
    ...(model.complete ? [] : [t.storage.unfinished]),
    model.license,
    model.usedAt === undefined
      ? t.storage.neverUsed
      : t.storage.lastUsed(new Date(model.usedAt).toLocaleDateString(t.tag)),
  ];
  const verify = (): Promise<string> =>
    actions
      .verify(model.id, (loaded, total) =>
        setOutcome(t.storage.verifying(formatNumber(t, Math.floor((loaded / Math.max(1, total)) * 100)))),
      )
      .then((found) => {
        if (found === "in-use") return t.storage.inUse;
        if (found.damaged > 0) {
          const damaged = formatNumber(t, found.damaged);
          if (model.baseUrl === "") return t.storage.mendedFile(damaged);
          const { id, baseUrl, architecture = "llava", totalBytes = 0 } = model;
          props.downloadActions.start({ id, name, baseUrl, architecture, bytes: totalBytes }, "repair");
          return t.storage.mended(damaged);
        }
        return found.missing > 0 ? t.storage.incomplete : t.storage.verified;
      });
  const save = async (): Promise<string> => {
    const zip = await actions.exportPackage(model.id);
    if (zip === "incomplete") return t.storage.incomplete;
    if (zip === "too-large") return t.storage.tooLarge;
    saveFile(zip, `${name.replace(/[^\p{L}\p{N}.-]+/gu, "-")}.zip`);
    return t.storage.saved;
  };
  const remove = async (): Promise<string> =>
    (await actions.forget(model.id)) === "in-use" ? t.storage.inUse : t.storage.removed(name);
  return (
    <li class="stored-model" data-testid="stored-model">
      <div>
        <strong>{name}</strong>
        <small>{facts.filter((fact) => fact !== "").join(" · ")}</small>
      </div>
      {asking ? (
        <div class="stored-actions" role="group" aria-label={t.storage.reallyRemove(name)}>
          <span>{t.storage.reallyRemove(name)}</span>
          <button
            type="button"
            class="button button-primary"
            onClick={() => {
              setAsking(false);
              act("", remove);
            }}
          >
            {t.storage.remove}
          </button>
          <button type="button" class="button" onClick={() => setAsking(false)}>
            {t.storage.cancel}
          </button>
        </div>
      ) : (
        <div class="stored-actions">
          {usable && model.id !== selectedId && (
            <button type="button" class="button" disabled={working} onClick={() => onUse(model.id)}>
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
      )}
    </li>
  );
}

/** What it costs and whether it fits is said before the first byte of it. */
function AddModel(props: StorageDialogProps): JSX.Element {
  const { actions, metered, precision, onClose } = props;
  const t = useTexts();
  const sizeOf = (bytes: HubModelRecord["bytes"]): string => {
    const size = precision === undefined ? undefined : bytes[precision];
    return size === undefined ? "" : formatSize(t, size);
  };
  const id = useId();
  const [typed, setTyped] = useState("");
  const [offer, setOffer] = useState<PreviewedModel | "none" | "looking" | { readonly problem: string }>("none");
  const look = async (wanted: string): Promise<void> => {
    setOffer("looking");
    try {
      setOffer((await actions.preview(wanted)) ?? { problem: t.storage.notAnAddress });
    } catch (error) {
      setOffer({ problem: t.errors[errorCodeOf(error)] });
    }
  };
  return (
    <form
      class="server-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (offer !== "looking") void look(typed);
      }}
    >
      <h3 class="small-title">{t.photos.listTitle}</h3>
      <ul class="stored-models">
        {hubModels.map(({ id: zooId, name, license, researchOnly, notYetRun, bytes, repository }) => (
          <li key={zooId} class="stored-model" data-testid="zoo-model">
            <div>
              <strong>{name}</strong>
              <small>
                {[
                  t.photos.facts(sizeOf(bytes), license),
                  ...(researchOnly ? [t.photos.researchOnly] : []),
                  ...(notYetRun ? [t.photos.notYetRun] : []),
                ].join(" · ")}
              </small>
            </div>
            <div class="stored-actions">
              <button
                type="button"
                class="button"
                aria-label={t.photos.look(name)}
                disabled={offer === "looking"}
                onClick={() => {
                  setTyped(repository);
                  void look(repository);
                }}
              >
                {t.storage.look}
              </button>
            </div>
          </li>
        ))}
      </ul>
      <h3 class="small-title">{t.storage.addTitle}</h3>
      <label class="field" for={id}>
        <span>{t.storage.address}</span>
        <input
          id={id}
          class="text-input"
          value={typed}
          inputmode="url"
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            setOffer("none");
          }}
        />
        <small>{t.storage.addressHint}</small>
      </label>
      <p class="dialog-actions">
        <button type="submit" class="button" disabled={typed.trim() === "" || offer === "looking"}>
          {offer === "looking" ? t.storage.lookingAt : t.storage.look}
        </button>
      </p>
      {typeof offer === "object" && "problem" in offer && (
        <p class="dialog-note" role="alert">
          {offer.problem}
        </p>
      )}
      {typeof offer === "object" && "fit" in offer && (
        <div class="model-offer" role="status" data-testid="model-offer" data-fit={offer.fit.verdict}>
          <p>
            <strong>{offer.name}</strong>
            <small>{t.storage.facts(formatSize(t, offer.bytes), offer.license)}</small>
          </p>
          <p>
            {offer.baseName !== undefined && `${t.storage.adapterOf(offer.baseName)} · `}
            {t.storage.verdicts[offer.fit.verdict]}
            {offer.tokensPerSecond !== undefined && ` · ${t.storage.pace(roughly(t, offer.tokensPerSecond))}`}
          </p>
          <ul class="dialog-points">
            {offer.fit.reasons.map((reason) => (
              <li key={reason}>{t.storage.reasons[reason]}</li>
            ))}
            {metered() && <li>{t.storage.metered}</li>}
          </ul>
          <p class="stored-actions">
            <button
              type="button"
              class={offer.fit.verdict === "wont-fit" ? "button" : "button button-primary"}
              onClick={() => {
                props.downloadActions.start(offer, "use");
                onClose();
              }}
            >
              {t.storage.download(formatSize(t, offer.bytes))}
            </button>
            {offer.fit.reasons.includes("no-room") && (
              <button type="button" class="button" onClick={() => useFromMemory(props, offer)}>
                {t.storage.fromMemoryOnly}
              </button>
            )}
          </p>
        </div>
      )}
    </form>
  );
}

/** An estimate has one digit that counts. */
function roughly(t: Texts, tokensPerSecond: number): string {
  if (tokensPerSecond < 1) return formatNumber(t, tokensPerSecond, 1);
  const scale = 10 ** Math.floor(Math.log10(tokensPerSecond));
  return formatNumber(t, Math.round(tokensPerSecond / scale) * scale);
}

interface ImportProps {
  readonly working: boolean;
  /** A zip, or files by path. */
  readonly onTake: (given: Blob | ReadonlyMap<string, Blob>) => void;
}

function ImportModel({ working, onTake }: ImportProps): JSX.Element {
  const t = useTexts();
  const zip = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (list: FileList | null): void => {
    const files = [...(list ?? [])];
    const first = files[0];
    if (first === undefined) return;
    const isZip = files.length === 1 && first.name.toLowerCase().endsWith(".zip");
    const pathOf = (file: File): string => (file.webkitRelativePath === "" ? file.name : file.webkitRelativePath);
    onTake(isZip ? first : new Map(files.map((file) => [pathOf(file), file])));
  };
  return (
    <section class="storage-import">
      <h3 class="small-title">{t.storage.importTitle}</h3>
      <p class="dialog-note">{t.storage.importHint}</p>
      <p class="dialog-actions">
        <button type="button" class="button" disabled={working} onClick={() => zip.current?.click()}>
          {t.storage.importButton}
        </button>
        <button type="button" class="button" disabled={working} onClick={() => folder.current?.click()}>
          {t.storage.importFolder}
        </button>
      </p>
      <input
        ref={zip}
        type="file"
        hidden
        accept=".zip"
        data-testid="package-input"
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
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
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </section>
  );
}
