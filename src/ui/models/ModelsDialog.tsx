// The models view: what is on this device, what can be downloaded, which servers are connected, and ways to add another one.
//   data-testid="storage-used": the space in use · "storage-outcome": the result of an action, in the card that it belongs to
//   data-testid="stored-model", "zoo-model", "server": one card each · "model-offer", "package-input", "folder-input": see their files
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Download } from "#chat/downloads/wanted.ts";
import type { PreviewedModel } from "#chat/models/look-up/look-up.ts";
import type { StorageState } from "#chat/models/storage.ts";
import { AddModel } from "./AddModel.tsx";
import { Dialog, Section } from "#ui/parts/Dialog.tsx";
import { DownloadNotes } from "./DownloadNotes.tsx";
import { formatSize } from "#ui/parts/format.ts";
import { ImportModel, type ModelPackage } from "./ImportModel.tsx";
import type { ModelFeatures } from "./model-features.ts";
import { ModelZoo } from "./ModelZoo.tsx";
import { Note, type NoteState } from "#ui/notes/Note.tsx";
import { ServerCards } from "#ui/models/servers/ServerCards.tsx";
import { StoredModelCard } from "./StoredModelCard.tsx";
import { useTexts } from "#ui/texts/texts.ts";

interface ModelsDialogProps extends ModelFeatures {
  /** A package that was dropped on the page; it is imported at once. */
  readonly dropped: ModelPackage | undefined;
  /** Opens the dialog that connects a server. */
  readonly onConnect: () => void;
  readonly onUse: (id: string) => void;
  readonly onClose: () => void;
}

/** Runs one action at a time: meanwhile the buttons of all other stored models are disabled. */
export function ModelsDialog(props: ModelsDialogProps): JSX.Element {
  const { storage, downloads } = props;
  const { stored } = storage.state.value;
  // What is on its way is told by its download, whose buttons go on with it or take it back.
  const onItsWay = new Set(downloads.state.value.filter(({ repair }) => !repair).map(({ id }) => id));
  const listed = stored?.filter(({ id, complete }) => complete || !onItsWay.has(id));
  const t = useTexts();
  const [working, setWorking] = useState(false);
  /** A note about the whole list. A model that was deleted no longer has a card to show one. */
  const [note, setNote] = useState<NoteState>();
  const look = (): void => {
    setNote(undefined);
    storage.actions.refresh().catch(() => setNote({ tone: "bad", text: t.storage.failed, retry: look }));
  };
  useEffect(look, []);
  const start = (model: PreviewedModel): void => {
    downloads.actions.start(model, "use");
    props.onClose();
  };
  const useFromMemory = (model: Download | PreviewedModel): void => {
    void downloads.actions.cancel(model.id);
    storage.actions.add(model);
    props.onUse(model.id);
  };
  return (
    <Dialog title={t.storage.title} wide onClose={props.onClose}>
      <Section title={t.remote.onThisDevice}>
        <Usage state={storage.state.value} />
        {stored === undefined && note === undefined && <p class="dialog-note">{t.storage.looking}</p>}
        {listed?.length === 0 && onItsWay.size === 0 && <p class="dialog-note">{t.storage.none}</p>}
        <ul class="model-cards">
          {listed?.map((model) => (
            <StoredModelCard
              key={model.id}
              {...props}
              model={model}
              working={working}
              onWorking={setWorking}
              onRemoved={(name) => setNote({ tone: "good", text: t.storage.removed(name) })}
            />
          ))}
        </ul>
        <Note state={note} />
        <DownloadNotes
          downloads={downloads}
          onUse={(id) => {
            downloads.actions.dismiss(id);
            props.onUse(id);
          }}
          onFromMemory={useFromMemory}
        />
      </Section>
      <ModelZoo {...props} onStart={start} onFromMemory={useFromMemory} />
      <Section title={t.remote.servers}>
        <ServerCards {...props} />
      </Section>
      <Section title={t.storage.addTitle}>
        <AddModel {...props} onStart={start} onFromMemory={useFromMemory} />
        <ImportModel
          {...props}
          working={working}
          onWorking={setWorking}
          onImport={(files) => storage.actions.importPackage(files)}
          onStart={start}
          onFromMemory={useFromMemory}
        />
      </Section>
    </Dialog>
  );
}

function Usage({ state }: { readonly state: StorageState }): JSX.Element {
  const t = useTexts();
  const { usedBytes, quotaBytes, persisted } = state;
  const known = usedBytes !== undefined && quotaBytes !== undefined && quotaBytes > 0;
  return (
    <div class="storage-usage">
      {known && <progress aria-hidden="true" max={quotaBytes} value={usedBytes} />}
      <p class="dialog-note" data-testid="storage-used">
        {known && t.storage.used(formatSize(t, usedBytes), formatSize(t, quotaBytes))}
      </p>
      {persisted !== undefined && <p class="dialog-note">{persisted ? t.storage.persisted : t.storage.notPersisted}</p>}
    </div>
  );
}
