// Where a question is put together: pictures, text, Send or Stop. Keeps the text's height, and that Send was pressed too early.
import type { JSX } from "preact";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { PictureIcon, SendIcon, StopIcon } from "#ui/parts/icons.tsx";
import { MoreWays } from "./MoreWays.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import type { Draft } from "./use-draft.ts";

interface ComposerProps {
  readonly draft: Draft;
  readonly busy: boolean;
  readonly placeholder: string;
  /** What stands above the row: pictures, suggested questions, sentences. */
  readonly children: ComponentChildren;
  readonly onFiles: (files: readonly File[]) => void;
  /** An address the user typed. */
  readonly onAddress: (address: string) => void;
  /** The up arrow in an empty question box. */
  readonly onEditLast: () => void;
  readonly onSend: () => void;
  readonly onStop: () => void;
}

/** Enter sends, Shift+Enter starts a line; while an answer runs, the text can be written but not sent. */
export function Composer(props: ComposerProps): JSX.Element {
  const t = useTexts();
  const area = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const { draft, busy } = props;
  const { text, given, pictures } = draft;
  const [waiting, setWaiting] = useState(false);
  const opening = draft.opening > 0;
  const ready = text.trim() !== "" || pictures.length > 0 || opening;

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
    setWaiting(opening);
    if (!opening) props.onSend();
    area.current?.focus({ preventScroll: true });
  };
  useEffect(() => {
    if (!waiting || opening) return;
    setWaiting(false);
    // Whoever sees that a picture failed decides anew.
    if (given.every(({ state }) => state === "ready")) send();
  }, [waiting, opening]);

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {props.children}
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
          id="composer-files"
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
        <MoreWays
          onFiles={props.onFiles}
          onAddress={(address) => {
            props.onAddress(address);
            area.current?.focus();
          }}
        />
        <textarea
          ref={area}
          id="question"
          rows={1}
          aria-label={t.composerLabel}
          aria-describedby="composer-hint"
          placeholder={props.placeholder}
          enterkeyhint="send"
          value={text}
          onInput={(event) => {
            setWaiting(false);
            draft.setText(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            // While an input method composes, Enter belongs to it; Safari tells of the Enter that ends it by its code alone.
            // eslint-disable-next-line @typescript-eslint/no-deprecated
            const composing = event.isComposing || event.keyCode === 229;
            if (event.key === "ArrowUp" && text === "" && given.length === 0 && !busy) {
              event.preventDefault();
              props.onEditLast();
            }
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
