// The question box: pictures, text, Send or Stop. Send pressed while a picture is still being opened waits for it.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { SendIcon, StopIcon } from "#ui/parts/icons.tsx";
import { MoreWays } from "./MoreWays.tsx";
import { PicturePicker } from "./PicturePicker.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import type { Draft } from "./use-draft.ts";
import { isSendKey, useGrowingHeight } from "./use-growing-height.ts";

interface ComposerProps {
  readonly draft: Draft;
  readonly busy: boolean;
  readonly placeholder: string;
  /** Shown above the row: pictures, suggested questions, problems. */
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
  const { draft, busy } = props;
  const { text, given } = draft;
  const { ready, send, cancelWaiting } = useSend(props, () => area.current?.focus({ preventScroll: true }));

  useGrowingHeight(area, text);
  useEffect(() => {
    // On a touch screen, focus would open the keyboard, which would cover the welcome.
    if (matchMedia("(pointer: fine)").matches) area.current?.focus({ preventScroll: true });
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowUp" && text === "" && given.length === 0 && !busy) {
      event.preventDefault();
      props.onEditLast();
    }
    if (!isSendKey(event)) return;
    event.preventDefault();
    send();
  };

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
        <PicturePicker
          label={t.addPictures}
          inputId="composer-files"
          testId="file-input"
          onFiles={(picked) => {
            props.onFiles(picked);
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
            cancelWaiting();
            draft.setText(event.currentTarget.value);
          }}
          onKeyDown={onKeyDown}
        />
        <SendButton busy={busy} ready={ready} onStop={props.onStop} />
      </div>
      <p id="composer-hint" class="visually-hidden">
        {t.composerHint}
      </p>
    </form>
  );
}

interface Send {
  /** Whether there is anything to send. */
  readonly ready: boolean;
  readonly send: () => void;
  /** The user went on writing, so an earlier Send no longer counts. */
  readonly cancelWaiting: () => void;
}

/** Send while a picture is still being opened waits until all have been. `onSend` of the props is called then. */
function useSend({ draft, busy, onSend }: ComposerProps, focus: () => void): Send {
  const { text, given, pictures } = draft;
  const [waiting, setWaiting] = useState(false);
  const opening = draft.opening > 0;
  const ready = text.trim() !== "" || pictures.length > 0 || opening;
  const send = (): void => {
    if (!ready || busy) return;
    setWaiting(opening);
    if (!opening) onSend();
    focus();
  };
  useEffect(() => {
    if (!waiting || opening) return;
    setWaiting(false);
    // If a picture could not be opened, the user decides again whether to send.
    if (given.every(({ state }) => state === "ready")) send();
  }, [waiting, opening]);
  return { ready, send, cancelWaiting: () => setWaiting(false) };
}

interface SendButtonProps {
  readonly busy: boolean;
  readonly ready: boolean;
  readonly onStop: () => void;
}

/** Stop while an answer runs; else Send, which submits the form. */
function SendButton({ busy, ready, onStop }: SendButtonProps): JSX.Element {
  const t = useTexts();
  return busy ? (
    <button type="button" class="send-button" aria-label={t.stop} title={t.stop} onClick={onStop}>
      <StopIcon />
    </button>
  ) : (
    <button type="submit" class="send-button" aria-label={t.send} title={t.send} disabled={!ready}>
      <SendIcon />
    </button>
  );
}
