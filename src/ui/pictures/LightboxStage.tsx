// The picture in the lightbox. A wheel or two fingers zoom it, one finger or the mouse moves it, a double click does either.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { moveBy, wholePicture, zoomBy, type Point, type Zoom } from "./zoom.ts";

/** A pointer that moves less than this many CSS pixels clicks. */
const clickPixels = 3;

interface LightboxStageProps {
  readonly picture: Picture;
  /** The picture's number in the conversation; counts from 1. */
  readonly index: number;
  readonly zoom: Zoom;
  readonly onZoom: (change: (zoom: Zoom) => Zoom) => void;
  /** Beside the picture was clicked. */
  readonly onClose: () => void;
}

export function LightboxStage({ picture, index, zoom, onZoom, onClose }: LightboxStageProps): JSX.Element {
  const t = useTexts();
  const url = useObjectUrl(picture.blob);
  const stage = useRef<HTMLDivElement>(null);
  const fromMiddle = (event: { readonly clientX: number; readonly clientY: number }): Point => {
    const box = stage.current?.getBoundingClientRect() ?? new DOMRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  };
  const pointers = usePointers(fromMiddle, onZoom);
  useEffect(() => {
    const element = stage.current;
    // Preact's own listener is passive where the browser says so; this one keeps the page from zooming.
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const at = fromMiddle(event);
      onZoom((now) => zoomBy(now, Math.exp(-event.deltaY / 400), at));
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, []);
  return (
    <div
      ref={stage}
      class="lightbox-stage"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        pointers.press(event);
      }}
      onPointerMove={pointers.move}
      onPointerUp={(event) => {
        pointers.release(event);
        // The pointer is captured, so what lies under it has to be asked for.
        const hit = document.elementFromPoint(event.clientX, event.clientY);
        if (!pointers.moved.current && hit === stage.current) onClose();
      }}
      onPointerCancel={pointers.release}
      onDblClick={(event) => {
        const at = fromMiddle(event);
        onZoom((now) => (now.scale > 1 ? wholePicture : zoomBy(now, 2.5, at)));
      }}
    >
      {url !== undefined && (
        <img
          src={url}
          alt={t.picture(index, picture.name)}
          draggable={false}
          style={{ transform: `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})` }}
        />
      )}
    </div>
  );
}

interface Pointers {
  readonly press: (event: PointerEvent) => void;
  readonly move: (event: PointerEvent) => void;
  readonly release: (event: PointerEvent) => void;
  /** Whether a pointer has moved since the first one was pressed. */
  readonly moved: { readonly current: boolean };
}

/** Follows the pointers that are pressed: one moves the picture, two zoom it about their middle. */
function usePointers(fromMiddle: (event: PointerEvent) => Point, onZoom: LightboxStageProps["onZoom"]): Pointers {
  const pressed = useRef(new Map<number, Point>());
  const moved = useRef(false);
  return {
    moved,
    press(event) {
      if (pressed.current.size === 0) moved.current = false;
      pressed.current.set(event.pointerId, fromMiddle(event));
    },
    move(event) {
      const before = pressed.current.get(event.pointerId);
      if (before === undefined) return;
      const now = fromMiddle(event);
      if (Math.hypot(now.x - before.x, now.y - before.y) < clickPixels && !moved.current) return;
      moved.current = true;
      const other = [...pressed.current].find(([id]) => id !== event.pointerId)?.[1];
      pressed.current.set(event.pointerId, now);
      if (other === undefined)
        return onZoom((old) => (old.scale === 1 ? old : moveBy(old, now.x - before.x, now.y - before.y)));
      const reach = (point: Point): number => Math.hypot(point.x - other.x, point.y - other.y);
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      if (reach(before) > 0) onZoom((old) => zoomBy(old, reach(now) / reach(before), middle));
    },
    release: (event) => void pressed.current.delete(event.pointerId),
  };
}
