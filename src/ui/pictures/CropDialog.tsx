// Choosing the part of a picture to send: a frame drawn with the pointer, or four edges moved with the keyboard.
import type { JSX } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import type { CropFrame } from "#chat/pictures/picture-sources.web.ts";
import { Dialog } from "#ui/parts/Dialog.tsx";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";
import { useTexts } from "#ui/texts/texts.ts";
import {
  clampShare,
  dragFrame,
  middleFrame,
  moveEdge,
  startDrag,
  wholeFrame,
  type Drag,
  type Edge,
  type Position,
} from "./crop-frame.ts";
import type { PictureFeature } from "./picture-feature.ts";

interface CropDialogProps {
  readonly picture: Picture;
  /** Whether the cropped picture takes the old one's place, or is a part that the next question is about. */
  readonly purpose: "crop" | "part";
  readonly crop: PictureFeature["crop"];
  readonly onDone: (cropped: Picture) => void;
  readonly onClose: () => void;
}

/** The whole picture stays where it came from. */
export function CropDialog({ picture, purpose, crop, onDone, onClose }: CropDialogProps): JSX.Element {
  const t = useTexts();
  const [frame, setFrame] = useState(purpose === "crop" ? wholeFrame : middleFrame);
  const [failed, setFailed] = useState(false);
  const edges: readonly (readonly [Edge, string])[] = [
    ["left", t.pictures.cropLeft],
    ["right", t.pictures.cropRight],
    ["top", t.pictures.cropTop],
    ["bottom", t.pictures.cropBottom],
  ];
  return (
    <Dialog title={purpose === "crop" ? t.pictures.cropTitle : t.chat.partTitle} onClose={onClose}>
      <CropArea picture={picture} frame={frame} onFrame={setFrame} />
      <p class="panel-note">{purpose === "crop" ? t.pictures.cropHint : t.chat.partHint}</p>
      <div class="crop-edges">
        {edges.map(([edge, label]) => (
          <EdgeSlider
            key={edge}
            label={label}
            value={frame[edge]}
            onChange={(value) => setFrame(moveEdge(frame, edge, value))}
          />
        ))}
      </div>
      {failed && (
        <p class="composer-problems" role="alert">
          {t.pictures.cropFailed}
        </p>
      )}
      <p class="dialog-actions">
        <button type="button" class="button" onClick={onClose}>
          {t.turnTools.cancel}
        </button>
        <button
          type="button"
          class="button button-primary"
          onClick={() => void crop(picture, frame).then(onDone, () => setFailed(true))}
        >
          {purpose === "crop" ? t.pictures.cropDone : t.chat.partDone}
        </button>
      </p>
    </Dialog>
  );
}

/** How near an edge a finger has to be to take hold of it, in CSS pixels. */
const reachPixels = 22;

interface CropAreaProps {
  readonly picture: Picture;
  readonly frame: CropFrame;
  readonly onFrame: (change: (frame: CropFrame) => CropFrame) => void;
}

/** The picture with the frame over it, which the pointer moves. */
function CropArea({ picture, frame, onFrame }: CropAreaProps): JSX.Element {
  const url = useObjectUrl(picture.blob);
  const area = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | undefined>(undefined);
  const boxOfArea = (): DOMRect => area.current?.getBoundingClientRect() ?? new DOMRect(0, 0, 1, 1);
  const positionOf = (event: PointerEvent): Position => {
    const box = boxOfArea();
    return {
      x: clampShare((event.clientX - box.left) / box.width),
      y: clampShare((event.clientY - box.top) / box.height),
    };
  };
  const endDrag = (): void => {
    drag.current = undefined;
  };
  const percent = (share: number): string => `${share * 100}%`;
  return (
    <div
      ref={area}
      class="crop-area"
      data-testid="crop-area"
      onPointerDown={(event) => {
        const { width, height } = boxOfArea();
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = startDrag(frame, positionOf(event), { x: reachPixels / width, y: reachPixels / height });
      }}
      onPointerMove={(event) => {
        const started = drag.current;
        if (started === undefined) return;
        const to = positionOf(event);
        onFrame((now) => dragFrame(started, now, to));
      }}
      onPointerUp={endDrag}
      onPointerCancel={endDrag}
    >
      {url !== undefined && <img src={url} alt={picture.name} draggable={false} />}
      <div
        class="crop-frame"
        style={{
          left: percent(frame.left),
          top: percent(frame.top),
          width: percent(frame.right - frame.left),
          height: percent(frame.bottom - frame.top),
        }}
      />
    </div>
  );
}

interface EdgeSliderProps {
  readonly label: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
}

function EdgeSlider({ label, value, onChange }: EdgeSliderProps): JSX.Element {
  const t = useTexts();
  const id = useId();
  const percent = Math.round(value * 100);
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{t.pictures.percent(String(percent))}</output>
      <input
        id={id}
        type="range"
        min={0}
        max={100}
        value={percent}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber / 100)}
      />
    </div>
  );
}
