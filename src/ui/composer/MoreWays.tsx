// The small panel beside the question box: pictures from the camera and from a web address.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { Disclosure } from "#ui/parts/Disclosure.tsx";
import { CameraIcon, PlusIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";

interface MoreWaysProps {
  readonly onFiles: (files: readonly File[]) => void;
  readonly onAddress: (address: string) => void;
}

/** Offers the camera on touch screens only, and an address everywhere. */
export function MoreWays({ onFiles, onAddress }: MoreWaysProps): JSX.Element {
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
            // Not inside the question's form, so that Enter does not send the question.
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
