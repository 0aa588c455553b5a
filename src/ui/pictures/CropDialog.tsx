// Choosing the part of a picture to send: a frame drawn with the pointer, or four edges moved with the keyboard.
import type { JSX } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import type { CropFrame } from "#chat/pictures/picture-sources.web.ts";
import { Dialog } from "#ui/parts/Dialog.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";

interface CropDialogProps {
  readonly picture: Picture;
  /** Whether the cropped picture takes the old one's place, or is a part that the next question is about. */
  readonly purpose: "crop" | "part";
  readonly crop: (picture: Picture, frame: CropFrame) => Promise<Picture>;
  readonly onDone: (cropped: Picture) => void;
  readonly onClose: () => void;
}

const whole: CropFrame = { left: 0, top: 0, right: 1, bottom: 1 };
/** Where a part is to be chosen, the frame shows from the start what it is. */
const middle: CropFrame = { left: 0.2, top: 0.2, right: 0.8, bottom: 0.8 };
/** No part may be thinner than this share of the picture. */
const thinnest = 0.02;
/** How near an edge a finger has to be to take hold of it, in CSS pixels. */
const gripPixels = 22;

type Edge = keyof CropFrame;
type Grip = { readonly kind: "edges"; readonly edges: readonly Edge[] } | { readonly kind: "move" | "draw" };

interface Drag {
  readonly grip: Grip;
  readonly frame: CropFrame;
  readonly x: number;
  readonly y: number;
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** Moves one edge, not past the one across. */
function withEdge(frame: CropFrame, edge: Edge, value: number): CropFrame {
  const at = clamp(value);
  switch (edge) {
    case "left":
      return { ...frame, left: Math.min(at, frame.right - thinnest) };
    case "top":
      return { ...frame, top: Math.min(at, frame.bottom - thinnest) };
    case "right":
      return { ...frame, right: Math.max(at, frame.left + thinnest) };
    case "bottom":
      return { ...frame, bottom: Math.max(at, frame.top + thinnest) };
  }
}

/** The whole picture stays where it came from. */
export function CropDialog({ picture, purpose, crop, onDone, onClose }: CropDialogProps): JSX.Element {
  const t = useTexts();
  const url = useObjectUrl(picture.blob);
  const [frame, setFrame] = useState(purpose === "crop" ? whole : middle);
  const [failed, setFailed] = useState(false);
  const area = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | undefined>(undefined);
  const at = (event: PointerEvent) => {
    const box = area.current?.getBoundingClientRect() ?? new DOMRect(0, 0, 1, 1);
    return {
      x: clamp((event.clientX - box.left) / box.width),
      y: clamp((event.clientY - box.top) / box.height),
      gripX: gripPixels / box.width,
      gripY: gripPixels / box.height,
    };
  };
  const gripAt = ({ x, y, gripX, gripY }: ReturnType<typeof at>): Grip => {
    const inX = x > frame.left - gripX && x < frame.right + gripX;
    const inY = y > frame.top - gripY && y < frame.bottom + gripY;
    if (!inX || !inY) return { kind: "draw" };
    const edges: Edge[] = [];
    if (Math.abs(x - frame.left) < gripX) edges.push("left");
    else if (Math.abs(x - frame.right) < gripX) edges.push("right");
    if (Math.abs(y - frame.top) < gripY) edges.push("top");
    else if (Math.abs(y - frame.bottom) < gripY) edges.push("bottom");
    if (edges.length > 0) return { kind: "edges", edges };
    // Inside the whole picture there is nothing to move.
    return { kind: frame === whole ? "draw" : "move" };
  };
  const follow = (event: PointerEvent): void => {
    const started = drag.current;
    if (started === undefined) return;
    const { x, y } = at(event);
    const { grip, frame: from } = started;
    if (grip.kind === "edges") {
      const moves = grip.edges.map((edge) => [edge, edge === "left" || edge === "right" ? x : y] as const);
      setFrame((now) => moves.reduce((moved, [edge, value]) => withEdge(moved, edge, value), now));
    } else if (grip.kind === "move") {
      const dx = Math.min(1 - from.right, Math.max(-from.left, x - started.x));
      const dy = Math.min(1 - from.bottom, Math.max(-from.top, y - started.y));
      setFrame({ left: from.left + dx, right: from.right + dx, top: from.top + dy, bottom: from.bottom + dy });
    } else if (Math.abs(x - started.x) > thinnest && Math.abs(y - started.y) > thinnest) {
      setFrame({
        left: Math.min(x, started.x),
        right: Math.max(x, started.x),
        top: Math.min(y, started.y),
        bottom: Math.max(y, started.y),
      });
    }
  };
  const done = (): void => {
    crop(picture, frame).then(onDone, () => setFailed(true));
  };
  const percent = (share: number): string => `${share * 100}%`;
  return (
    <Dialog title={purpose === "crop" ? t.pictures.cropTitle : t.chat.partTitle} onClose={onClose}>
      <div
        ref={area}
        class="crop-area"
        data-testid="crop-area"
        onPointerDown={(event) => {
          const point = at(event);
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { grip: gripAt(point), frame, x: point.x, y: point.y };
        }}
        onPointerMove={follow}
        onPointerUp={() => {
          drag.current = undefined;
        }}
        onPointerCancel={() => {
          drag.current = undefined;
        }}
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
      <p class="panel-note">{purpose === "crop" ? t.pictures.cropHint : t.chat.partHint}</p>
      <div class="crop-edges">
        {(
          [
            ["left", t.pictures.cropLeft],
            ["right", t.pictures.cropRight],
            ["top", t.pictures.cropTop],
            ["bottom", t.pictures.cropBottom],
          ] as const
        ).map(([edge, label]) => (
          <EdgeSlider
            key={edge}
            label={label}
            value={frame[edge]}
            onChange={(value) => setFrame(withEdge(frame, edge, value))}
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
        <button type="button" class="button button-primary" onClick={done}>
          {purpose === "crop" ? t.pictures.cropDone : t.chat.partDone}
        </button>
      </p>
    </Dialog>
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
