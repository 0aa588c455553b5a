// Pictures as large as the window, with zoom by wheel, fingers, keys and buttons. Changes nothing but how they are looked at.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Picture } from "#chat/conversation/conversation.ts";
import { CloseIcon, CropIcon, MinusIcon, NextIcon, PartIcon, PlusIcon, PreviousIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useModal } from "#ui/parts/use-modal.ts";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";

interface LightboxProps {
  readonly pictures: readonly Picture[];
  readonly startId: string;
  /** A picture that is not sent yet is cropped; of one that is, a part can be asked about. */
  readonly purpose: "crop" | "part";
  readonly onCrop: (picture: Picture) => void;
  readonly onClose: () => void;
}

/** `x` and `y` move the picture's middle, in CSS pixels. */
interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}
const whole: View = { scale: 1, x: 0, y: 0 };
const largest = 12;
const stepPixels = 60;

/** Keeps the point under the pointer (from the middle of the window) where it is. */
function zoomed(view: View, factor: number, at: { readonly x: number; readonly y: number } = { x: 0, y: 0 }): View {
  const scale = Math.min(largest, Math.max(1, view.scale * factor));
  if (scale === 1) return whole;
  const ratio = scale / view.scale;
  return { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio };
}

/** Escape, a click beside the picture, or the button closes it. */
export function Lightbox({ pictures, startId, purpose, onCrop, onClose }: LightboxProps): JSX.Element {
  const t = useTexts();
  const modal = useModal(onClose);
  const [index, setIndex] = useState(() =>
    Math.max(
      0,
      pictures.findIndex((picture) => picture.id === startId),
    ),
  );
  const [view, setView] = useState(whole);
  const picture = pictures[index];
  const go = (step: number): void => {
    const next = index + step;
    if (next < 0 || next >= pictures.length) return;
    setIndex(next);
    setView(whole);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pan = (x: number, y: number): void => setView((now) => ({ ...now, x: now.x + x, y: now.y + y }));
    const keys: Record<string, () => void> = {
      "+": () => setView((now) => zoomed(now, 1.5)),
      "=": () => setView((now) => zoomed(now, 1.5)),
      "-": () => setView((now) => zoomed(now, 1 / 1.5)),
      "0": () => setView(whole),
      ArrowLeft: () => (view.scale === 1 ? go(-1) : pan(stepPixels, 0)),
      ArrowRight: () => (view.scale === 1 ? go(1) : pan(-stepPixels, 0)),
      ArrowUp: () => view.scale > 1 && pan(0, stepPixels),
      ArrowDown: () => view.scale > 1 && pan(0, -stepPixels),
    };
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  return (
    <dialog
      ref={modal.ref}
      class="lightbox"
      aria-label={t.pictures.viewer}
      data-testid="lightbox"
      onClose={modal.onClose}
      onKeyDown={onKeyDown}
    >
      {picture !== undefined && (
        <Stage key={picture.id} picture={picture} index={index + 1} view={view} onView={setView} onClose={onClose} />
      )}
      <div class="lightbox-tools" role="toolbar" aria-label={t.pictures.viewer}>
        {pictures.length > 1 && (
          <>
            <Tool label={t.pictures.previous} disabled={index === 0} onClick={() => go(-1)}>
              <PreviousIcon />
            </Tool>
            <span class="lightbox-count" aria-live="polite">
              {t.turnTools.alternative(index + 1, pictures.length)}
            </span>
            <Tool label={t.pictures.next} disabled={index === pictures.length - 1} onClick={() => go(1)}>
              <NextIcon />
            </Tool>
          </>
        )}
        <Tool label={t.pictures.zoomOut} disabled={view.scale <= 1} onClick={() => setView(zoomed(view, 1 / 1.5))}>
          <MinusIcon />
        </Tool>
        <button
          type="button"
          class="lightbox-scale"
          aria-label={`${t.pictures.zoomReset}, ${t.pictures.percent(String(Math.round(view.scale * 100)))}`}
          title={t.pictures.zoomReset}
          onClick={() => setView(whole)}
        >
          {t.pictures.percent(String(Math.round(view.scale * 100)))}
        </button>
        <Tool label={t.pictures.zoomIn} disabled={view.scale >= largest} onClick={() => setView(zoomed(view, 1.5))}>
          <PlusIcon />
        </Tool>
        {picture !== undefined && (
          <button type="button" class="lightbox-part" onClick={() => onCrop(picture)}>
            {purpose === "crop" ? <CropIcon /> : <PartIcon />}
            <span>{purpose === "crop" ? t.pictures.crop : t.chat.part}</span>
          </button>
        )}
        <Tool label={t.close} disabled={false} onClick={onClose}>
          <CloseIcon />
        </Tool>
      </div>
    </dialog>
  );
}

interface ToolProps {
  readonly label: string;
  readonly disabled: boolean;
  readonly onClick: () => void;
  readonly children: JSX.Element;
}

function Tool({ label, disabled, onClick, children }: ToolProps): JSX.Element {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} disabled={disabled} onClick={onClick}>
      {children}
    </button>
  );
}

interface StageProps {
  readonly picture: Picture;
  readonly index: number;
  readonly view: View;
  readonly onView: (change: (view: View) => View) => void;
  readonly onClose: () => void;
}

/** The picture itself, under the pointer's hands. */
function Stage({ picture, index, view, onView, onClose }: StageProps): JSX.Element {
  const t = useTexts();
  const url = useObjectUrl(picture.blob);
  const stage = useRef<HTMLDivElement>(null);
  const pointers = useRef(new Map<number, { readonly x: number; readonly y: number }>());
  const moved = useRef(false);
  const fromMiddle = (event: { readonly clientX: number; readonly clientY: number }) => {
    const box = stage.current?.getBoundingClientRect() ?? new DOMRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  };
  useEffect(() => {
    const element = stage.current;
    // Preact's own listener is passive where the browser says so; this one keeps the page from zooming.
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const at = fromMiddle(event);
      onView((now) => zoomed(now, Math.exp(-event.deltaY / 400), at));
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
        if (pointers.current.size === 0) moved.current = false;
        pointers.current.set(event.pointerId, fromMiddle(event));
      }}
      onPointerMove={(event) => {
        const before = pointers.current.get(event.pointerId);
        if (before === undefined) return;
        const now = fromMiddle(event);
        if (Math.hypot(now.x - before.x, now.y - before.y) < 3 && !moved.current) return;
        moved.current = true;
        const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
        pointers.current.set(event.pointerId, now);
        if (other === undefined)
          return onView((old) =>
            old.scale === 1 ? old : { ...old, x: old.x + now.x - before.x, y: old.y + now.y - before.y },
          );
        const reach = (point: typeof now): number => Math.hypot(point.x - other.x, point.y - other.y);
        const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
        if (reach(before) > 0) onView((old) => zoomed(old, reach(now) / reach(before), middle));
      }}
      onPointerUp={(event) => {
        pointers.current.delete(event.pointerId);
        // The pointer is captured, so what lies under it has to be asked for.
        const hit = document.elementFromPoint(event.clientX, event.clientY);
        if (!moved.current && hit === stage.current) onClose();
      }}
      onPointerCancel={(event) => void pointers.current.delete(event.pointerId)}
      onDblClick={(event) => {
        const at = fromMiddle(event);
        onView((now) => (now.scale > 1 ? whole : zoomed(now, 2.5, at)));
      }}
    >
      {url !== undefined && (
        <img
          src={url}
          alt={t.picture(index, picture.name)}
          draggable={false}
          style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
        />
      )}
    </div>
  );
}
