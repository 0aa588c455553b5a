// A question being put in other words or with other pictures. What it was stays: the new one becomes an alternative to it.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { UserTurn } from "#chat/conversation/conversation.ts";
import { AttachedPictures } from "#ui/composer/AttachedPictures.tsx";
import { readPaste } from "#ui/composer/given-data.ts";
import { PictureIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import type { TurnActions } from "./turn-actions.ts";
import { useDraft } from "#ui/composer/use-draft.ts";

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
  const files = useRef<HTMLInputElement>(null);
  const ready = draft.opening === 0 && (draft.text.trim() !== "" || draft.pictures.length > 0);
  useEffect(() => {
    area.current?.focus();
    area.current?.setSelectionRange(turn.text.length, turn.text.length);
  }, []);
  useLayoutEffect(() => {
    if (area.current === null) return;
    area.current.style.height = "auto";
    area.current.style.height = `${area.current.scrollHeight}px`;
  }, [draft.text]);
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
          // See the question box: Safari tells of the Enter that ends a composition by its code alone.
          // eslint-disable-next-line @typescript-eslint/no-deprecated
          if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
          event.preventDefault();
          ask();
        }}
      />
      <div class="question-editor-actions">
        <button
          type="button"
          class="icon-button"
          aria-label={t.turnTools.addPicture}
          title={t.turnTools.addPicture}
          onClick={() => files.current?.click()}
        >
          <PictureIcon />
        </button>
        <input
          ref={files}
          class="visually-hidden"
          type="file"
          accept="image/*,.heic,.heif"
          multiple
          tabIndex={-1}
          aria-hidden="true"
          data-testid="editor-file-input"
          onChange={(event) => {
            draft.addFiles([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
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
