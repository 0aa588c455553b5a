// What the page has to say above the question box: downloads, where a question goes, what was not kept or can be undone, a new version.
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { isBusy } from "#chat/conversation/conversation.ts";
import type { Unkept } from "#chat/store/chat-state.ts";
import type { AppProps } from "#ui/parts/app-props.ts";
import type { DialogName } from "./Dialogs.tsx";
import { lazy } from "#ui/parts/lazy.tsx";
import { useTexts, type Texts } from "#ui/texts/texts.ts";
import { UndoNote } from "#ui/parts/UndoNote.tsx";
import { UpdateNote } from "#ui/parts/UpdateNote.tsx";

const UnknownModelNote = lazy(async () => (await import("#ui/models/UnknownModelNote.tsx")).UnknownModelNote);
const DownloadNotes = lazy(async () => (await import("#ui/models/DownloadNotes.tsx")).DownloadNotes);

interface DockNotesProps {
  readonly app: AppProps;
  /** The dialog that is open. */
  readonly open: Signal<DialogName>;
}

export function DockNotes({ app, open }: DockNotesProps): JSX.Element {
  const t = useTexts();
  const { chat, model } = app;
  const { conversation, arrival, unkept, deletedElsewhere, undo, joined } = app.state.value;
  const { selected } = app.models.value;
  const downloads = app.downloads.value;
  const unknownModel = app.unknownModel.value;
  return (
    <>
      {downloads.length > 0 && (
        <DownloadNotes
          downloads={downloads}
          actions={app.downloadActions}
          onUse={(id) => {
            app.downloadActions.dismiss(id);
            // An adapter whose base is not here can't be chosen; what is stored says what it needs.
            if (app.models.value.choices.some((choice) => choice.id === id)) app.onModel(id);
            else open.value = "storage";
          }}
          onFromMemory={(download) => {
            void app.downloadActions.cancel(download.id);
            app.storageActions.add(download);
            app.onModel(download.id);
          }}
          onStorage={() => {
            open.value = "storage";
          }}
        />
      )}
      {selected.host !== undefined && (
        <p class="dock-note" data-testid="leaves-device">
          {t.remote.leaves(selected.host)}
        </p>
      )}
      {unknownModel !== undefined && selected.id === model.id && (
        <UnknownModelNote
          app={app}
          wanted={unknownModel}
          here={model.name}
          onModels={() => {
            open.value = "storage";
          }}
        />
      )}
      {unkept !== undefined && deletedElsewhere !== true && (
        <p class="dock-note" role="status" data-testid="not-saved">
          {sentenceFor(t, unkept)}{" "}
          {unkept.cause === "full" && (
            <button
              type="button"
              class="link-button"
              onClick={() => {
                open.value = "storage";
              }}
            >
              {t.kept.freeSpace}
            </button>
          )}
        </p>
      )}
      {arrival?.kind === "missing" && (
        <UndoNote what="missing" onUndo={undefined} onDismiss={() => chat.dismissArrival()} />
      )}
      {arrival?.kind === "crashed" && (
        <UndoNote
          what="crashed"
          title={arrival.title}
          onUndo={() => void chat.open(arrival.id)}
          undoLabel={t.kept.openAnyway}
          onDismiss={() => chat.dismissArrival()}
        />
      )}
      {deletedElsewhere === true && (
        <UndoNote
          what="deletedElsewhere"
          onUndo={() => void chat.keepDeleted()}
          undoLabel={t.kept.keep}
          onDismiss={() => chat.newChat()}
        />
      )}
      {undo !== undefined && (
        <UndoNote what={undo} onUndo={() => void chat.undo()} onDismiss={() => chat.dismissUndo()} />
      )}
      {app.update.value !== "none" && !isBusy(conversation) && (
        <UpdateNote state={app.update.value} onUpdate={() => app.onUpdate(true)} onLater={() => app.onUpdate(false)} />
      )}
      {joined === true && <UndoNote what="joined" onUndo={undefined} onDismiss={() => chat.dismissJoined()} />}
    </>
  );
}

function sentenceFor({ kept }: Texts, { cause, turns, isPart, pictures }: Unkept): string {
  if (turns === 0) return kept.pictures(pictures);
  if (cause === "full") return isPart ? kept.fullPart(turns) : kept.full;
  return isPart ? kept.blockedPart(turns) : kept.blocked;
}
