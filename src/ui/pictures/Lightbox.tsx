// Pictures as large as the window, to be looked at one by one, with zoom by wheel, fingers, keys and buttons.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { CloseIcon, CropIcon, MinusIcon, NextIcon, PartIcon, PlusIcon, PreviousIcon } from "#ui/parts/icons.tsx";
import { useModal } from "#ui/parts/use-modal.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { LightboxStage } from "./LightboxStage.tsx";
import { largestScale, moveBy, wholePicture, zoomBy, zoomStep, type Zoom } from "./zoom.ts";

interface LightboxProps {
  readonly pictures: readonly Picture[];
  readonly startId: string;
  /** A picture that is not sent yet is cropped; of one that is, a part can be asked about. */
  readonly purpose: "crop" | "part";
  readonly onCrop: (picture: Picture) => void;
  readonly onClose: () => void;
}

/** How far an arrow key moves an enlarged picture, in CSS pixels. */
const stepPixels = 60;

/** Escape, a click beside the picture, or the button closes it. */
export function Lightbox({ pictures, startId, purpose, onCrop, onClose }: LightboxProps): JSX.Element {
  const t = useTexts();
  const modal = useModal(onClose);
  const start = pictures.findIndex((picture) => picture.id === startId);
  const [index, setIndex] = useState(Math.max(0, start));
  const [zoom, setZoom] = useState(wholePicture);
  const picture = pictures[index];
  const go = (step: number): void => {
    const next = index + step;
    if (next < 0 || next >= pictures.length) return;
    setIndex(next);
    setZoom(wholePicture);
  };
  return (
    <dialog
      ref={modal.ref}
      class="lightbox"
      aria-label={t.pictures.viewer}
      data-testid="lightbox"
      onClose={modal.onClose}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const act = actionOfKey(event.key, zoom, setZoom, go);
        if (act === undefined) return;
        event.preventDefault();
        act();
      }}
    >
      {picture !== undefined && (
        <LightboxStage
          key={picture.id}
          picture={picture}
          index={index + 1}
          zoom={zoom}
          onZoom={setZoom}
          onClose={onClose}
        />
      )}
      <div class="lightbox-tools" role="toolbar" aria-label={t.pictures.viewer}>
        {pictures.length > 1 && (
          <>
            <IconButton label={t.pictures.previous} disabled={index === 0} onClick={() => go(-1)}>
              <PreviousIcon />
            </IconButton>
            <span class="lightbox-count" aria-live="polite">
              {t.turnTools.alternative(index + 1, pictures.length)}
            </span>
            <IconButton label={t.pictures.next} disabled={index === pictures.length - 1} onClick={() => go(1)}>
              <NextIcon />
            </IconButton>
          </>
        )}
        <ZoomTools zoom={zoom} onZoom={setZoom} />
        {picture !== undefined && (
          <button type="button" class="lightbox-part" onClick={() => onCrop(picture)}>
            {purpose === "crop" ? <CropIcon /> : <PartIcon />}
            <span>{purpose === "crop" ? t.pictures.crop : t.chat.part}</span>
          </button>
        )}
        <IconButton label={t.close} onClick={onClose}>
          <CloseIcon />
        </IconButton>
      </div>
    </dialog>
  );
}

type SetZoom = (change: (zoom: Zoom) => Zoom) => void;

/** Arrow keys move an enlarged picture, and otherwise go to another one. */
function actionOfKey(key: string, zoom: Zoom, setZoom: SetZoom, go: (step: number) => void): (() => void) | undefined {
  const enlarged = zoom.scale !== 1;
  const move = (x: number, y: number): void => setZoom((now) => moveBy(now, x, y));
  const actions: Record<string, () => void> = {
    "+": () => setZoom((now) => zoomBy(now, zoomStep)),
    "=": () => setZoom((now) => zoomBy(now, zoomStep)),
    "-": () => setZoom((now) => zoomBy(now, 1 / zoomStep)),
    "0": () => setZoom(() => wholePicture),
    ArrowLeft: () => (enlarged ? move(stepPixels, 0) : go(-1)),
    ArrowRight: () => (enlarged ? move(-stepPixels, 0) : go(1)),
    ArrowUp: () => enlarged && move(0, stepPixels),
    ArrowDown: () => enlarged && move(0, -stepPixels),
  };
  return actions[key];
}

function ZoomTools({ zoom, onZoom }: { readonly zoom: Zoom; readonly onZoom: SetZoom }): JSX.Element {
  const t = useTexts();
  const percent = t.pictures.percent(String(Math.round(zoom.scale * 100)));
  return (
    <>
      <IconButton
        label={t.pictures.zoomOut}
        disabled={zoom.scale <= 1}
        onClick={() => onZoom((now) => zoomBy(now, 1 / zoomStep))}
      >
        <MinusIcon />
      </IconButton>
      <button
        type="button"
        class="lightbox-scale"
        aria-label={`${t.pictures.zoomReset}, ${percent}`}
        title={t.pictures.zoomReset}
        onClick={() => onZoom(() => wholePicture)}
      >
        {percent}
      </button>
      <IconButton
        label={t.pictures.zoomIn}
        disabled={zoom.scale >= largestScale}
        onClick={() => onZoom((now) => zoomBy(now, zoomStep))}
      >
        <PlusIcon />
      </IconButton>
    </>
  );
}
