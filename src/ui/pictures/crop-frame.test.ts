import { describe, expect, test } from "vitest";
import type { CropFrame } from "#chat/pictures/picture-sources.web.ts";
import { dragFrame, middleFrame, moveEdge, startDrag, wholeFrame, type Edge, type Position } from "./crop-frame.ts";

const frame: CropFrame = { left: 0.25, top: 0.25, right: 0.75, bottom: 0.5 };
/** How near an edge the pointer has to be: nearer in height than in width, as on a tall picture. */
const reach: Position = { x: 0.05, y: 0.025 };

function drag(from: Position, to: Position, start: CropFrame = frame): CropFrame {
  return dragFrame(startDrag(start, from, reach), start, to);
}

function expectFrame(actual: CropFrame, expected: CropFrame): void {
  for (const edge of ["left", "top", "right", "bottom"] as const) expect(actual[edge]).toBeCloseTo(expected[edge], 9);
}

describe("a pointer takes hold of", () => {
  test.each<[string, Position, readonly Edge[]]>([
    ["the left edge, from outside", { x: 0.21, y: 0.375 }, ["left"]],
    ["the right edge, from inside", { x: 0.71, y: 0.375 }, ["right"]],
    ["the top edge", { x: 0.5, y: 0.27 }, ["top"]],
    ["the bottom edge", { x: 0.5, y: 0.52 }, ["bottom"]],
    ["the corner at the top left", { x: 0.24, y: 0.24 }, ["left", "top"]],
    ["the corner at the bottom right", { x: 0.76, y: 0.51 }, ["right", "bottom"]],
  ])("%s", (_, from, edges) => {
    expect(startDrag(frame, from, reach)).toEqual({ grip: { kind: "edges", edges }, frame, from });
  });

  test("the frame, in its middle", () => {
    expect(startDrag(frame, { x: 0.5, y: 0.375 }, reach).grip).toEqual({ kind: "move" });
  });

  test.each<[string, CropFrame, Position]>([
    ["outside the frame", frame, { x: 0.9, y: 0.375 }],
    ["beside an edge, in the direction of the shorter reach", frame, { x: 0.5, y: 0.21 }],
    ["in line with an edge but past its end", frame, { x: 0.25, y: 0.9 }],
    ["within the whole picture, where nothing can be moved", wholeFrame, { x: 0.5, y: 0.5 }],
  ])("nothing %s, and draws a new frame", (_, start, from) => {
    expect(startDrag(start, from, reach).grip).toEqual({ kind: "draw" });
  });
});

describe("dragging", () => {
  test("an edge moves that edge only", () => {
    expectFrame(drag({ x: 0.25, y: 0.375 }, { x: 0.1, y: 0.9 }), { ...frame, left: 0.1 });
    expectFrame(drag({ x: 0.5, y: 0.5 }, { x: 0.9, y: 0.8 }), { ...frame, bottom: 0.8 });
  });

  test("a corner moves its two edges", () => {
    expectFrame(drag({ x: 0.75, y: 0.25 }, { x: 0.9, y: 0.1 }), { ...frame, right: 0.9, top: 0.1 });
  });

  test("a corner past the opposite one leaves a thin frame there", () => {
    expectFrame(drag({ x: 0.25, y: 0.25 }, { x: 1, y: 1 }), { ...frame, left: 0.73, top: 0.48 });
  });

  test("the frame keeps its size", () => {
    expectFrame(drag({ x: 0.5, y: 0.375 }, { x: 0.4, y: 0.475 }), { left: 0.15, right: 0.65, top: 0.35, bottom: 0.6 });
  });

  test.each<[string, Position, CropFrame]>([
    ["the top left", { x: -3, y: -3 }, { left: 0, right: 0.5, top: 0, bottom: 0.25 }],
    ["the bottom right", { x: 3, y: 3 }, { left: 0.5, right: 1, top: 0.75, bottom: 1 }],
  ])("the frame stops at %s of the picture with its size kept", (_, to, expected) => {
    expectFrame(drag({ x: 0.5, y: 0.375 }, to), expected);
  });

  test("outside the frame draws a new one, in any direction", () => {
    const drawn = { left: 0.8, right: 0.95, top: 0.6, bottom: 0.9 };
    expectFrame(drag({ x: 0.8, y: 0.6 }, { x: 0.95, y: 0.9 }), drawn);
    expectFrame(drag({ x: 0.95, y: 0.9 }, { x: 0.8, y: 0.6 }), drawn);
  });

  test("too short a way draws nothing and keeps the frame that is shown", () => {
    const started = startDrag(frame, { x: 0.9, y: 0.9 }, reach);
    expect(dragFrame(started, middleFrame, { x: 0.91, y: 0.5 })).toBe(middleFrame);
    expect(dragFrame(started, middleFrame, { x: 0.5, y: 0.91 })).toBe(middleFrame);
  });
});

describe("an edge", () => {
  test.each<[Edge, number, number]>([
    ["left", 0.1, 0.1],
    ["left", -1, 0],
    ["left", 2, 0.73],
    ["right", 0.9, 0.9],
    ["right", 2, 1],
    ["right", -1, 0.27],
    ["top", 0.1, 0.1],
    ["top", -1, 0],
    ["top", 2, 0.48],
    ["bottom", 0.9, 0.9],
    ["bottom", 2, 1],
    ["bottom", -1, 0.27],
  ])("%s that is moved to %d stands at %d", (edge, position, expected) => {
    expectFrame(moveEdge(frame, edge, position), { ...frame, [edge]: expected });
  });
});
