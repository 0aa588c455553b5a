import { describe, expect, test } from "vitest";
import { largestScale, moveBy, wholePicture, zoomBy, zoomStep, type Point, type Zoom } from "./zoom.ts";

/** Which point of the picture is shown at a point of the window, both measured from the middle, in pixels of the whole picture. */
const pictureAt = ({ scale, x, y }: Zoom, at: Point): Point => ({ x: (at.x - x) / scale, y: (at.y - y) / scale });

describe("zooming", () => {
  test.each([
    ["in, from the whole picture", wholePicture, 2.5, { x: 120, y: -40 }],
    ["in, from a moved picture", { scale: 2, x: 30, y: -70 }, zoomStep, { x: -200, y: 15 }],
    ["out, while the picture stays enlarged", { scale: 6, x: -310, y: 44 }, 1 / zoomStep, { x: 80, y: 90 }],
    ["in, past the largest scale", { scale: 10, x: 5, y: 6 }, 4, { x: 33, y: -21 }],
  ])("%s keeps the point under the pointer", (_, zoom, factor, at) => {
    const before = pictureAt(zoom, at);
    const after = pictureAt(zoomBy(zoom, factor, at), at);
    expect(after.x).toBeCloseTo(before.x, 9);
    expect(after.y).toBeCloseTo(before.y, 9);
  });

  test("without a point is about the middle of the window", () => {
    expect(zoomBy({ scale: 2, x: 10, y: -4 }, 2)).toEqual({ scale: 4, x: 20, y: -8 });
  });

  test("stops at the largest scale", () => {
    const largest = zoomBy(wholePicture, 1000);
    expect(largest).toEqual({ scale: largestScale, x: 0, y: 0 });
    expect(zoomBy({ ...largest, x: 7, y: 8 }, zoomStep, { x: 50, y: 60 })).toEqual({ scale: largestScale, x: 7, y: 8 });
  });

  test("out to the whole picture brings it back to the middle", () => {
    expect(zoomBy({ scale: 1.2, x: 300, y: -200 }, 1 / zoomStep, { x: 40, y: 40 })).toEqual(wholePicture);
    expect(zoomBy(wholePicture, 0.1, { x: 40, y: 40 })).toEqual(wholePicture);
  });

  test("by the steps of a pinch equals zooming at once", () => {
    const at = { x: -64, y: 12 };
    const steps = [1.25, 1.5, 0.9, 1.1];
    const stepwise = steps.reduce<Zoom>((zoom, factor) => zoomBy(zoom, factor, at), { scale: 2, x: 3, y: 5 });
    const atOnce = zoomBy(
      { scale: 2, x: 3, y: 5 },
      steps.reduce((product, factor) => product * factor),
      at,
    );
    expect(stepwise.scale).toBeCloseTo(atOnce.scale, 9);
    expect(stepwise.x).toBeCloseTo(atOnce.x, 9);
    expect(stepwise.y).toBeCloseTo(atOnce.y, 9);
  });
});

test("moving adds to the position and keeps the scale", () => {
  expect(moveBy({ scale: 3, x: 10, y: 20 }, -15, 5)).toEqual({ scale: 3, x: -5, y: 25 });
});
