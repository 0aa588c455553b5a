// The frame around the part of a picture that is to be cut out: what a pointer takes hold of, and how the frame follows it. Knows no page;
// positions are shares of the picture's width and height, from 0 to 1.
import type { CropFrame } from "#chat/pictures/picture-sources.web.ts";

export const wholeFrame: CropFrame = { left: 0, top: 0, right: 1, bottom: 1 };
/** Where a part is to be chosen, the frame shows from the start what it is. */
export const middleFrame: CropFrame = { left: 0.2, top: 0.2, right: 0.8, bottom: 0.8 };
/** No part may be thinner than this share of the picture. */
const thinnest = 0.02;

export type Edge = keyof CropFrame;

/** What a pointer does: it moves edges, moves the frame, or draws a new one. */
type Grip = { readonly kind: "edges"; readonly edges: readonly Edge[] } | { readonly kind: "move" | "draw" };

export interface Position {
  readonly x: number;
  readonly y: number;
}

/** A drag under way: what it took hold of, and where the frame and the pointer were at its start. */
export interface Drag {
  readonly grip: Grip;
  readonly frame: CropFrame;
  readonly from: Position;
}

/** `reach`: how near an edge a pointer has to be to take hold of it. */
export function startDrag(frame: CropFrame, from: Position, reach: Position): Drag {
  return { grip: gripAt(frame, from, reach), frame, from };
}

function gripAt(frame: CropFrame, { x, y }: Position, reach: Position): Grip {
  const inX = x > frame.left - reach.x && x < frame.right + reach.x;
  const inY = y > frame.top - reach.y && y < frame.bottom + reach.y;
  if (!inX || !inY) return { kind: "draw" };
  const edges: Edge[] = [];
  if (Math.abs(x - frame.left) < reach.x) edges.push("left");
  else if (Math.abs(x - frame.right) < reach.x) edges.push("right");
  if (Math.abs(y - frame.top) < reach.y) edges.push("top");
  else if (Math.abs(y - frame.bottom) < reach.y) edges.push("bottom");
  if (edges.length > 0) return { kind: "edges", edges };
  // Inside the whole picture there is nothing to move.
  return { kind: frame === wholeFrame ? "draw" : "move" };
}

/** The frame once the pointer is at `to`; `now` is the frame that is shown. */
export function dragFrame({ grip, frame, from }: Drag, now: CropFrame, to: Position): CropFrame {
  const { x, y } = to;
  if (grip.kind === "edges") {
    const positionOf = (edge: Edge): number => (edge === "left" || edge === "right" ? x : y);
    return grip.edges.reduce((moved, edge) => moveEdge(moved, edge, positionOf(edge)), now);
  }
  if (grip.kind === "move") {
    const dx = Math.min(1 - frame.right, Math.max(-frame.left, x - from.x));
    const dy = Math.min(1 - frame.bottom, Math.max(-frame.top, y - from.y));
    return { left: frame.left + dx, right: frame.right + dx, top: frame.top + dy, bottom: frame.bottom + dy };
  }
  if (Math.abs(x - from.x) <= thinnest || Math.abs(y - from.y) <= thinnest) return now;
  return {
    left: Math.min(x, from.x),
    right: Math.max(x, from.x),
    top: Math.min(y, from.y),
    bottom: Math.max(y, from.y),
  };
}

/** Moves one edge, not past the one across. */
export function moveEdge(frame: CropFrame, edge: Edge, position: number): CropFrame {
  const at = clampShare(position);
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

export function clampShare(value: number): number {
  return Math.min(1, Math.max(0, value));
}
