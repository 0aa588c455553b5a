// One line about what just happened: it can be undone or dismissed. Above the question box it tells of the conversation.
import type { JSX } from "preact";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { CloseIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";

interface UndoNoteProps {
  readonly what: "conversation" | "turns" | "joined" | "deletedElsewhere" | "missing" | "crashed";
  /** What a conversation is called that the words name. */
  readonly title?: string;
  readonly onUndo: (() => void) | undefined;
  /** "Undo" by default. */
  readonly undoLabel?: string;
  readonly onDismiss: () => void;
}

/** Stays until it is dismissed or the conversation goes on; it has no time limit. */
export function UndoNote({ what, title = "", onUndo, undoLabel, onDismiss }: UndoNoteProps): JSX.Element {
  const t = useTexts();
  const words = {
    conversation: t.history.deleted,
    turns: t.history.turnsDeleted,
    joined: t.history.joined,
    deletedElsewhere: t.kept.deletedElsewhere,
    missing: t.kept.missing,
    crashed: t.kept.crashed(title === "" ? t.history.untitled : title),
  }[what];
  return <UndoLine {...{ what, words, onUndo, undoLabel, onDismiss }} testId="undo" />;
}

interface UndoLineProps {
  readonly testId: string;
  readonly what: string;
  readonly words: string;
  readonly onUndo: (() => void) | undefined;
  readonly undoLabel?: string | undefined;
  readonly onDismiss: () => void;
}

/** With words of one's own. */
export function UndoLine({ testId, what, words, onUndo, undoLabel, onDismiss }: UndoLineProps): JSX.Element {
  const t = useTexts();
  return (
    <div class="undo" role="status" data-testid={testId} data-what={what}>
      <span class="undo-words">{words}</span>
      {onUndo !== undefined && (
        <button type="button" class="button" onClick={onUndo}>
          {undoLabel ?? t.history.undo}
        </button>
      )}
      <IconButton label={t.history.dismiss} small onClick={onDismiss}>
        <CloseIcon />
      </IconButton>
    </div>
  );
}
