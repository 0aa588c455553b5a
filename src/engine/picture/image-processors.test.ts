// What the vision tower gets is what Hugging Face's processors on Pillow make, for pictures of any shape; written by training/make_image_golden.py.
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { preprocess, squarePixels } from "./image.ts";
import type { Pixels } from "#engine/types.ts";

const Triple = v.tuple([v.number(), v.number(), v.number()]);
const Golden = v.array(
  v.object({
    name: v.string(),
    size: v.number(),
    mode: v.picklist(["crop", "resize"]),
    mean: Triple,
    std: Triple,
    width: v.number(),
    height: v.number(),
    average: v.number(),
    /** Every 4999th value of [3, size, size]. */
    every: v.array(v.number()),
  }),
);
const golden = v.parse(
  Golden,
  JSON.parse(readFileSync(new URL("../../../training/fixtures/processor.golden.json", import.meta.url), "utf8")),
);

/** Channel c of pixel x, y is (3x² + 7y + xy + 85c) mod 256. */
function formulaPicture(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[(y * width + x) * 4 + c] = (x * x * 3 + y * 7 + x * y + c * 85) % 256;
    }
  }
  return { width, height, data };
}

test.each(golden)("$name: $width × $height", ({ width, height, mode, average, every, ...to }) => {
  const values = preprocess(formulaPicture(width, height), mode, to);
  expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(average, 4);
  const far = every.reduce((most, value, i) => Math.max(most, Math.abs(value - (values[i * 4999] ?? NaN))), 0);
  // A step of one in 8 bits would be 0.0078 at least.
  expect(far).toBeLessThan(1e-4);
});

describe("pictures of odd shapes take no more memory than their input asks for", () => {
  const clip = { size: 336, mean: [0.48, 0.46, 0.41], std: [0.27, 0.26, 0.28] } as const;
  test.each([
    [1, 1],
    [10000, 10],
    [10, 10000],
    [60000, 1],
  ])("%i × %i", (width, height) => {
    const picture = formulaPicture(width, height);
    for (const mode of ["pad", "crop", "resize"] as const) {
      const before = process.memoryUsage().arrayBuffers;
      expect(squarePixels(picture, mode, clip)).toHaveLength(336 * 336 * 3);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200e6);
    }
  });
});
