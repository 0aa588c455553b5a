import { expect, test } from "vitest";
import { packAnyres, planAnyres } from "./image-anyres.ts";

const grid16 = [
  [336, 672],
  [672, 336],
  [672, 672],
  [1008, 336],
  [336, 1008],
] as const;
const llava16 = { size: 336, side: 24, pinpoints: grid16 };

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
  expect(planAnyres(width, height, llava16).rows).toBe(tokens);
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
