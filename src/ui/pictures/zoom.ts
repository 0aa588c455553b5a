// How a picture is looked at in large: how much it is enlarged, and how far it is moved.

/** `x` and `y` move the picture's middle from the window's, in CSS pixels. */
export interface Zoom {
  /** 1 shows the whole picture. */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const wholePicture: Zoom = { scale: 1, x: 0, y: 0 };
export const largestScale = 12;
/** What a key or a button enlarges by. */
export const zoomStep = 1.5;

/** Enlarges by a factor. The point `at`, from the middle of the window, stays where it is. */
export function zoomBy(zoom: Zoom, factor: number, at: Point = { x: 0, y: 0 }): Zoom {
  const scale = Math.min(largestScale, Math.max(1, zoom.scale * factor));
  if (scale === 1) return wholePicture;
  const ratio = scale / zoom.scale;
  return { scale, x: at.x - (at.x - zoom.x) * ratio, y: at.y - (at.y - zoom.y) * ratio };
}

export function moveBy(zoom: Zoom, x: number, y: number): Zoom {
  return { ...zoom, x: zoom.x + x, y: zoom.y + y };
}
