// Where a question is put together: pictures, text, Send or Stop. Keeps nothing but the text's height.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Picture } from "#chat/conversation.ts";
import { PictureIcon, SendIcon, StopIcon } from "./icons.tsx";
import { useTexts } from "./texts/texts.ts";
import { Thumbnail } from "./Thumbnail.tsx";

interface ComposerProps {
  readonly text: string;
  readonly pictures: readonly Picture[];
  /** How many files are being opened right now. */
  readonly opening: number;
  readonly busy: boolean;
  readonly emptyChat: boolean;
  /** Sentences about files that could not be used. */
  readonly problems: readonly string[];
  readonly onText: (text: string) => void;
  readonly onFiles: (files: readonly File[]) => void;
  readonly onRemove: (id: string) => void;
  readonly onSend: () => void;
  readonly onStop: () => void;
}

/** Enter sends, Shift+Enter starts a line; while an answer runs, the text can be written but not sent. */
export function Composer(props: ComposerProps): JSX.Element {
  const t = useTexts();
  const area = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const { text, pictures, busy } = props;
  const ready = props.opening === 0 && (text.trim() !== "" || pictures.length > 0);

  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  useEffect(() => {
    // On a touch screen the keyboard would cover the welcome.
    if (matchMedia("(pointer: fine)").matches) area.current?.focus({ preventScroll: true });
  }, []);

  const send = (): void => {
    if (!ready || busy) return;
    props.onSend();
    area.current?.focus({ preventScroll: true });
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {props.problems.length > 0 && (
        <div class="composer-problems" role="alert" data-testid="picture-problem">
          {props.problems.map((problem) => (
            <p key={problem}>{problem}</p>
          ))}
        </div>
      )}
      {(pictures.length > 0 || props.opening > 0) && (
        <div class="thumbnails" role="group" aria-label={t.attached}>
          {pictures.map((picture, index) => (
            <Thumbnail
              key={picture.id}
              picture={picture}
              index={index + 1}
              onRemove={() => props.onRemove(picture.id)}
            />
          ))}
          {props.opening > 0 && (
            <p class="thumbnails-opening" role="status">
              {t.openingPictures(props.opening)}
            </p>
          )}
        </div>
      )}
      <div class="composer-row">
        <button
          type="button"
          class="icon-button"
          aria-label={t.addPictures}
          title={t.addPictures}
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
          data-testid="file-input"
          onChange={(event) => {
            props.onFiles([...(event.currentTarget.files ?? [])]);
            // The same file may be chosen again.
            event.currentTarget.value = "";
            area.current?.focus();
          }}
        />
        <textarea
          ref={area}
          id="question"
          rows={1}
          aria-label={t.composerLabel}
          aria-describedby="composer-hint"
          placeholder={props.emptyChat && pictures.length === 0 ? t.composerPlaceholderEmpty : t.composerPlaceholder}
          enterkeyhint="send"
          value={text}
          onInput={(event) => props.onText(event.currentTarget.value)}
          onKeyDown={(event) => {
            // While an input method composes, Enter belongs to it; Safari tells of the Enter that ends it by its code alone.
            // eslint-disable-next-line @typescript-eslint/no-deprecated
            const composing = event.isComposing || event.keyCode === 229;
            if (event.key !== "Enter" || event.shiftKey || composing) return;
            event.preventDefault();
            send();
          }}
        />
        {busy ? (
          <button type="button" class="send-button" aria-label={t.stop} title={t.stop} onClick={props.onStop}>
            <StopIcon />
          </button>
        ) : (
          <button type="submit" class="send-button" aria-label={t.send} title={t.send} disabled={!ready}>
            <SendIcon />
          </button>
        )}
      </div>
      <p id="composer-hint" class="visually-hidden">
        {t.composerHint}
      </p>
    </form>
  );
}
