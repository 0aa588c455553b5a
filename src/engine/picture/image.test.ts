import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { normalise, preprocess, squarePixels, type Preprocess } from "./image.ts";
import type { Pixels } from "#engine/types.ts";

const clip: Preprocess = {
  size: 48,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

function fill(width: number, height: number, rgba: (x: number, y: number) => readonly number[]): Pixels {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(rgba(x, y), (y * width + x) * 4);
  return { width, height, data };
}

describe("Pillow's pictures, to the bit", () => {
  const Golden = v.array(
    v.object({
      width: v.number(),
      height: v.number(),
      mode: v.picklist(["pad", "crop", "resize"]),
      sha256: v.string(),
    }),
  );
  const golden = v.parse(
    Golden,
    JSON.parse(readFileSync(new URL("../../../training/fixtures/image.golden.json", import.meta.url), "utf8")),
  );
  test.each(golden)("$width × $height, $mode", ({ width, height, mode, sha256 }) => {
    const picture = fill(width, height, (x, y) =>
      [0, 1, 2, 3].map((c) => (c === 3 ? 255 : (x * x * 3 + y * 7 + x * y + c * 85) % 256)),
    );
    expect(
      createHash("sha256")
        .update(squarePixels(picture, mode, clip))
        .digest("hex"),
    ).toBe(sha256);
  });
});

test("padding puts the mean colour above and below a wide picture", () => {
  const red = fill(96, 48, () => [255, 0, 0, 255]);
  const rgb = squarePixels(red, "pad", clip);
  expect([...rgb.subarray(0, 3)]).toEqual([122, 116, 104]);
  expect([...rgb.subarray((24 * 48 + 24) * 3, (24 * 48 + 24) * 3 + 3)]).toEqual([255, 0, 0]);
});

test("transparent pixels show white, half transparent ones a mix", () => {
  const hidden = fill(48, 48, (x) => [255, 0, 0, x < 24 ? 0 : 128]);
  const rgb = squarePixels(hidden, "pad", clip);
  expect([...rgb.subarray(0, 3)]).toEqual([255, 255, 255]);
  expect([...rgb.subarray(40 * 3, 40 * 3 + 3)]).toEqual([255, 127, 127]);
});

test("the result is planar and normalised per channel", () => {
  const red = fill(48, 48, () => [255, 0, 0, 255]);
  const out = preprocess(red, "pad", clip); // [3, 48, 48]
  expect(out).toHaveLength(3 * 48 * 48);
  expect(out[0]).toBeCloseTo((1 - 0.48145466) / 0.26862954, 5);
  expect(out[48 * 48]).toBeCloseTo(-0.4578275 / 0.26130258, 5);
  expect(normalise(new Uint8Array(48 * 48 * 3), clip)[2 * 48 * 48]).toBeCloseTo(-0.40821073 / 0.27577711, 5);
});

test("sixteen megapixels of one color become one color", () => {
  const large: Pixels = { width: 4618, height: 3464, data: new Uint8Array(4618 * 3464 * 4).fill(200) };
  // Its alpha of 200 lets some of the white behind it through.
  const middle = 3 * clip.size * Math.floor(clip.size / 2);
  expect(new Set(squarePixels(large, "pad", clip).subarray(middle, middle + 3 * clip.size))).toEqual(new Set([212]));
});
