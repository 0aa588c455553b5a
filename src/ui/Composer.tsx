// Where a question is put together: pictures, text, Send or Stop. Keeps nothing but the text's height.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Picture } from "#chat/conversation.ts";
import { Disclosure } from "./Disclosure.tsx";
import { CameraIcon, PictureIcon, PlusIcon, SendIcon, StopIcon } from "./icons.tsx";
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
  /** An address the user typed. */
  readonly onAddress: (address: string) => void;
  readonly onRemove: (id: string) => void;
  readonly onView: (id: string) => void;
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
              onOpen={() => props.onView(picture.id)}
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
          placeholder={props.emptyChat && pictures.length === 0 ? t.composerPlaceholderEmpty : t.composerPlaceholder}
          enterkeyhint="send"
          value={text}
          onInput={(event) => props.onText(event.currentTarget.value)}
          onKeyDown={(event) => {
            // While an input method composes, Enter belongs to it; Safari tells of the Enter that ends it by its code alone.
            // eslint-disable-next-line @typescript-eslint/no-deprecated
            const composing = event.isComposing || event.keyCode === 229;
            if (event.key === "ArrowUp" && text === "" && pictures.length === 0 && !busy) {
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

interface MoreWaysProps {
  readonly onFiles: (files: readonly File[]) => void;
  readonly onAddress: (address: string) => void;
}

/** Pictures from the camera, where a finger is the pointer, and from an address. */
function MoreWays({ onFiles, onAddress }: MoreWaysProps): JSX.Element {
  const t = useTexts();
  const camera = useRef<HTMLInputElement>(null);
  const address = useRef<HTMLInputElement>(null);
  const fetchIt = (): void => {
    const typed = address.current?.value.trim() ?? "";
    if (typed === "") return;
    if (address.current !== null) address.current.value = "";
    onAddress(typed);
  };
  return (
    <Disclosure
      class="more-ways"
      panelLabel={t.pictures.more}
      button={
        <>
          <span class="visually-hidden">{t.pictures.more}</span>
          <PlusIcon />
        </>
      }
    >
      {matchMedia("(pointer: coarse)").matches && (
        <>
          <button type="button" class="button more-ways-camera" onClick={() => camera.current?.click()}>
            <CameraIcon />
            {t.pictures.camera}
          </button>
          <input
            ref={camera}
            class="visually-hidden"
            type="file"
            accept="image/*"
            capture="environment"
            tabIndex={-1}
            aria-hidden="true"
            data-testid="camera-input"
            onChange={(event) => {
              onFiles([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = "";
            }}
          />
        </>
      )}
      <label class="more-ways-address">
        {t.pictures.urlLabel}
        <span class="more-ways-row">
          <input
            ref={address}
            type="url"
            inputMode="url"
            placeholder={t.pictures.urlPlaceholder}
            // Outside the question's form, whose Send it is not.
            form=""
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.isComposing) return;
              event.preventDefault();
              fetchIt();
            }}
          />
          <button type="button" class="button" onClick={fetchIt}>
            {t.pictures.urlAdd}
          </button>
        </span>
      </label>
      <p class="panel-note">{t.pictures.urlHint}</p>
    </Disclosure>
  );
}
