// Counts and pixels are Hugging Face's, written by training/make_smolvlm_golden.py.
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { expect, test } from "vitest";
import { normalise } from "./image.ts";
import { cutSquares, planSquares } from "./squares.ts";
import type { Pixels } from "#engine/types.ts";

const Golden = v.object({
  /** Side of a square, longest edge, width, height; rows and columns of squares. */
  counts: v.array(v.tuple([v.number(), v.number(), v.number(), v.number(), v.number(), v.number()])),
  pixels: v.array(
    v.object({
      size: v.number(),
      longestEdge: v.number(),
      width: v.number(),
      height: v.number(),
      every: v.boolean(),
      tiles: v.number(),
      average: v.number(),
      /** Every 99,991st value of [tiles, 3, size, size]. */
      values: v.array(v.number()),
    }),
  ),
});
const golden = v.parse(
  Golden,
  JSON.parse(readFileSync(new URL("../../../training/fixtures/squares.golden.json", import.meta.url), "utf8")),
);
const half = [0.5, 0.5, 0.5] as const;

/** Channel c of pixel x, y is (7x + 13y + 29c) mod 256. */
function formulaPicture(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) data[(y * width + x) * 4 + c] = (7 * x + 13 * y + 29 * c) % 256;
    }
  }
  return { width, height, data };
}

test.each(golden.counts)(
  "squares of %i in %i: %i × %i become %i rows of %i",
  (size, longestEdge, width, height, rows, columns) => {
    const config = { size, longestEdge, filter: "lanczos", rows: 64 } as const;
    const plan = planSquares(width, height, true, config);
    expect(plan.stretched).toEqual({ width: columns * size, height: rows * size });
    expect(plan).toMatchObject({ tiles: rows * columns + 1, rows: (rows * columns + 1) * 64 });
    expect(plan.spelling.split("<image>")).toHaveLength(plan.tiles + 1);
    expect(planSquares(width, height, false, config)).toMatchObject({ tiles: 1, rows: 64, stretched: undefined });
  },
);

test.each(golden.pixels)(
  "pixels of $width × $height in squares of $size, every detail: $every",
  ({ width, height, every, tiles, average, values, ...config }) => {
    const plan = planSquares(width, height, every, { ...config, filter: "lanczos", rows: 64 });
    const squares = cutSquares(formulaPicture(width, height), plan);
    expect(squares).toHaveLength(tiles);
    const to = { size: config.size, mean: half, std: half };
    const each = squares.map((rgb) => normalise(rgb, to));
    const length = 3 * config.size ** 2;
    const sum = each.reduce((total, square) => total + square.reduce((part, value) => part + value, 0), 0);
    expect(sum / length / tiles).toBeCloseTo(average, 5);
    // A step of one in 8 bits would be 0.0078.
    values.forEach((value, i) => {
      const at = i * 99_991;
      expect(Math.abs(value - (each[Math.floor(at / length)]?.[at % length] ?? NaN))).toBeLessThan(1e-4);
    });
  },
);

test("marks stand around the squares, line by line, and two line breaks before the whole", () => {
  const plan = planSquares(200, 100, true, { size: 64, longestEdge: 128, filter: "lanczos", rows: 4 });
  const mark = "<fake_token_around_image>";
  expect(plan.spelling).toBe(
    `${mark}<row_1_col_1><image>${mark}<row_1_col_2><image>\n\n${mark}<global-img><image>${mark}`,
  );
});
