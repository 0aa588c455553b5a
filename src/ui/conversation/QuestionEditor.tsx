// A question being put in other words or with other pictures. What it was stays: the new one becomes an alternative to it.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { UserTurn } from "#chat/conversation/conversation.ts";
import { AttachedPictures } from "#ui/composer/AttachedPictures.tsx";
import { readPaste } from "#ui/composer/given-data.ts";
import { useTexts } from "#ui/texts/texts.ts";
import type { TurnActions } from "./turn-actions.ts";
import { PicturePicker } from "#ui/composer/PicturePicker.tsx";
import { useDraft } from "#ui/composer/use-draft.ts";
import { isSendKey, useGrowingHeight } from "#ui/composer/use-growing-height.ts";

interface QuestionEditorProps {
  readonly turn: UserTurn;
  /** How many pictures stand in the turns before it. */
  readonly before: number;
  readonly actions: TurnActions;
}

/** Enter asks, Escape gives up; pictures can be pasted into it. */
export function QuestionEditor({ turn, before, actions }: QuestionEditorProps): JSX.Element {
  const t = useTexts();
  const draft = useDraft(actions.openPicture, turn);
  const area = useRef<HTMLTextAreaElement>(null);
  const ready = draft.opening === 0 && (draft.text.trim() !== "" || draft.pictures.length > 0);
  useEffect(() => {
    area.current?.focus();
    area.current?.setSelectionRange(turn.text.length, turn.text.length);
  }, []);
  useGrowingHeight(area, draft.text);
  const ask = (): void => {
    if (ready) actions.onEdit(turn.id, draft.text, draft.pictures);
  };
  return (
    <form
      class="question-editor"
      data-testid="question-editor"
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
      onPaste={(event) => {
        const pasted = event.clipboardData === null ? undefined : readPaste(event.clipboardData);
        if (pasted?.kind !== "files") return;
        event.preventDefault();
        draft.addFiles(pasted.files);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.isComposing) return;
        event.stopPropagation();
        actions.onEditing(undefined);
      }}
    >
      <AttachedPictures
        draft={draft}
        size="small"
        before={before}
        onView={(id) => actions.onView(draft.pictures, id, (old, cropped) => draft.replace(old, cropped))}
        onCrop={(picture) => actions.onCrop(picture, (old, cropped) => draft.replace(old, cropped))}
      />
      <textarea
        ref={area}
        rows={1}
        aria-label={t.turnTools.editLabel}
        value={draft.text}
        onInput={(event) => draft.setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (!isSendKey(event)) return;
          event.preventDefault();
          ask();
        }}
      />
      <div class="question-editor-actions">
        <PicturePicker
          label={t.turnTools.addPicture}
          testId="editor-file-input"
          onFiles={(picked) => draft.addFiles(picked)}
        />
        <button type="button" class="button" onClick={() => actions.onEditing(undefined)}>
          {t.turnTools.cancel}
        </button>
        <button type="submit" class="button button-primary" disabled={!ready}>
          {t.turnTools.askEdited}
        </button>
      </div>
    </form>
  );
}
