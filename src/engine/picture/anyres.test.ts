// Counts and pixels are Hugging Face's, written by training/make_anyres_golden.py.
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { beforeAll, describe, expect, test } from "vitest";
import { anyresTiles, packAnyres, planAnyres, type AnyresConfig } from "./anyres.ts";
import { formulaPixels } from "#testing/formula-picture.ts";

const Golden = v.object({
  /** Width, height; LLaVA-1.6's tiles and rows, OneVision's tiles and rows. */
  counts: v.array(v.tuple([v.number(), v.number(), v.number(), v.number(), v.number(), v.number()])),
  pixels: v.array(
    v.object({
      kind: v.picklist(["next", "onevision"]),
      width: v.number(),
      height: v.number(),
      sum: v.number(),
      every: v.array(v.number()),
    }),
  ),
});

const one = [1, 2, 3, 4, 5, 6];
const kinds: Readonly<Record<"next" | "onevision", AnyresConfig>> = {
  next: { size: 336, side: 24, pinpoints: [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]] }, // prettier-ignore
  onevision: {
    size: 384,
    side: 27,
    pinpoints: one.flatMap((rows) => one.map((columns): [number, number] => [rows * 384, columns * 384])),
    most: 9,
  },
};

let golden: v.InferOutput<typeof Golden>;
beforeAll(async () => {
  const file = new URL("../../../training/fixtures/anyres.golden.json", import.meta.url);
  golden = v.parse(Golden, JSON.parse(await readFile(file, "utf8")));
});

test.each([
  [336, 336, 1176],
  [640, 480, 2340],
  [672, 672, 2928],
  [1024, 1024, 2928],
  [1000, 500, 1752],
  [1000, 300, 2182],
  [1920, 1080, 1948],
  [899, 1024, 2640],
])("LLaVA-1.6 reads a picture of %i × %i as %i tokens", (width, height, tokens) => {
  expect(planAnyres(width, height, kinds.next).rows).toBe(tokens);
});

describe("against Hugging Face", () => {
  test("tiles and rows are the same for pictures of any shape", () => {
    expect(golden.counts.length).toBeGreaterThan(150);
    const counted = golden.counts.map(([width, height]) => {
      const [next, onevision] = [kinds.next, kinds.onevision].map((kind) => planAnyres(width, height, kind));
      return [width, height, next?.tiles, next?.rows, onevision?.tiles, onevision?.rows];
    });
    expect(counted).toEqual(golden.counts);
  });

  test("the pixels of all tiles are the same", () => {
    for (const { kind, width, height, sum, every } of golden.pixels) {
      const config = kinds[kind];
      const tiles = anyresTiles(formulaPixels(width, height), planAnyres(width, height, config));
      const area = config.size ** 2;
      // [tile, channel, y, x]
      const at = (i: number): number =>
        tiles[Math.floor(i / (3 * area))]?.[(i % area) * 3 + (Math.floor(i / area) % 3)] ?? NaN;
      const sampled = every.map((_, i) => at(i * 9973));
      expect({ kind, width, height, sampled }).toEqual({ kind, width, height, sampled: every });
      expect(tiles.reduce((all, tile) => all + tile.reduce((part, value) => part + value, 0), 0)).toBe(sum);
    }
  });
});

test("the grid's lines come row by row across its tiles, each with a newline, after the whole picture", () => {
  const plan = planAnyres(40, 20, { size: 20, side: 2, pinpoints: [[20, 40]] });
  expect(plan).toMatchObject({ grid: [2, 1], tiles: 3, rows: 4 + 2 * 5 });
  const tile = (first: number) => Float32Array.from({ length: 4 }, (_, i) => first + i);
  expect([...packAnyres([tile(0), tile(10), tile(20)], Float32Array.of(-1), plan)]).toEqual([
    ...[0, 1, 2, 3],
    ...[10, 11, 20, 21, -1],
    ...[12, 13, 22, 23, -1],
  ]);
});

test.each([
  [60000, 1],
  [1, 60000],
])("a line of %i × %i is read in a few tiles", (width, height) => {
  for (const config of [kinds.next, kinds.onevision]) {
    const plan = planAnyres(width, height, config);
    const tiles = anyresTiles(formulaPixels(width, height), plan);
    expect(tiles).toHaveLength(plan.tiles);
    const features = tiles.map(() => new Float32Array(config.side ** 2).fill(1));
    const rows = packAnyres(features, Float32Array.of(2), plan);
    expect(rows).toHaveLength(plan.rows);
    expect(rows.every((value) => value === 1 || value === 2)).toBe(true);
  }
});
