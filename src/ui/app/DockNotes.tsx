// What the page has to say above the question box: downloads, where a question goes, what was not kept or can be undone, a new version.
import type { JSX } from "preact";
import { isBusy } from "#chat/conversation/conversation.ts";
import type { Unsaved } from "#chat/store/chat-state.ts";
import { lazy } from "#ui/parts/lazy.tsx";
import { UndoNote } from "#ui/notes/UndoNote.tsx";
import { UpdateNote } from "#ui/notes/UpdateNote.tsx";
import { useTexts, type Texts } from "#ui/texts/texts.ts";
import type { AppFeatures } from "./features.ts";
import type { OpenDialog } from "./open-dialog.ts";

const UnknownModelNote = lazy(async () => (await import("#ui/models/UnknownModelNote.tsx")).UnknownModelNote);
const TeachingNote = lazy(async () => (await import("#ui/teach/TeachingNote.tsx")).TeachingNote);
const DownloadNotes = lazy(async () => (await import("#ui/models/DownloadNotes.tsx")).DownloadNotes);

interface DockNotesProps extends Pick<
  AppFeatures,
  "chat" | "downloads" | "installation" | "models" | "photoModel" | "storage" | "teach"
> {
  readonly onLesson: (id: string) => void;
  readonly onOpen: (dialog: OpenDialog) => void;
}

/** Longer than most functions: one note after the other, in the order in which they stand above the question box. */
export function DockNotes(props: DockNotesProps): JSX.Element {
  const { models, downloads, installation, onOpen } = props;
  const { actions: chat, state } = props.chat;
  const t = useTexts();
  const { conversation, arrival, unsaved, deletedElsewhere, undo, joined } = state.value;
  const { selected } = models.state.value;
  const missing = models.missing.value;
  const update = installation.update.value;
  const openModels = (): void => onOpen({ name: "models" });
  return (
    <>
      {props.teach.teaching.value.phase !== "idle" && <TeachingNote teach={props.teach} onLesson={props.onLesson} />}
      {downloads.state.value.length > 0 && (
        <DownloadNotes
          downloads={downloads}
          onUse={(id) => {
            downloads.actions.dismiss(id);
            // An adapter whose base is not here can't be chosen; what is stored says what it needs.
            if (models.state.value.choices.some((choice) => choice.id === id)) models.select(id);
            else openModels();
          }}
          onFromMemory={(download) => {
            void downloads.actions.cancel(download.id);
            props.storage.actions.add(download);
            models.select(download.id);
          }}
          onMakeRoom={openModels}
        />
      )}
      {selected.host !== undefined && (
        <p class="dock-note" data-testid="leaves-device">
          {t.remote.leaves(selected.host)}
        </p>
      )}
      {missing !== undefined && selected.id === models.builtIn.id && (
        <UnknownModelNote {...props} wanted={missing} onModels={openModels} />
      )}
      {unsaved !== undefined && deletedElsewhere !== true && (
        <p class="dock-note" role="status" data-testid="not-saved">
          {sentenceFor(t, unsaved)}{" "}
          {unsaved.cause === "full" && (
            <button type="button" class="link-button" onClick={openModels}>
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
      {update !== "none" && !isBusy(conversation) && (
        <UpdateNote
          state={update}
          onUpdate={() => installation.decideUpdate(true)}
          onLater={() => installation.decideUpdate(false)}
        />
      )}
      {joined === true && <UndoNote what="joined" onUndo={undefined} onDismiss={() => chat.dismissJoined()} />}
    </>
  );
}

function sentenceFor({ kept }: Texts, { cause, turns, isPart, pictures }: Unsaved): string {
  if (turns === 0) return kept.pictures(pictures);
  if (cause === "full") return isPart ? kept.fullPart(turns) : kept.full;
  return isPart ? kept.blockedPart(turns) : kept.blocked;
}
