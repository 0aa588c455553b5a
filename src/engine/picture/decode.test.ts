// Decoded pixels are Pillow's, for files of every mode and orientation; written by training/make_decode_golden.py.
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import * as v from "valibot";
import { expect, test } from "vitest";
import { decodeImage } from "./decode.node.ts";

const Golden = v.array(
  v.object({
    name: v.string(),
    file: v.string(), // base64
    width: v.number(),
    height: v.number(),
    /** Most that a channel may differ; 255 where decoders convert colours in their own way. */
    tolerance: v.number(),
    rgba: v.string(), // base64, deflated
  }),
);
const golden = v.parse(
  Golden,
  JSON.parse(readFileSync(new URL("../../../training/fixtures/decode.golden.json", import.meta.url), "utf8")),
);

const bytesOf = (name: string): Buffer => Buffer.from(golden.find((row) => row.name === name)?.file ?? "", "base64");
const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2);

test.each(golden)("$name decodes to Pillow's pixels, $tolerance apart at most", async (row) => {
  const pixels = await decodeImage(new Blob([new Uint8Array(Buffer.from(row.file, "base64"))]));
  expect([pixels.width, pixels.height]).toEqual([row.width, row.height]);
  const expected = inflateSync(Buffer.from(row.rgba, "base64"));
  expect(pixels.data).toHaveLength(expected.length);
  // The colour under a pixel that is not seen at all is nobody's business.
  const far = expected.reduce((most, value, i) => {
    const hidden = i % 4 < 3 && expected[i - (i % 4) + 3] === 0;
    return hidden ? most : Math.max(most, Math.abs(value - (pixels.data[i] ?? NaN)));
  }, 0);
  expect(far).toBeLessThanOrEqual(row.tolerance);
});

test("CMYK becomes colours that are near the picture's", async () => {
  const { data } = await decodeImage(new Blob([new Uint8Array(bytesOf("cmyk.jpg"))]));
  // Dark in one corner, light in the other.
  expect(data[0]).toBeLessThan(110);
  expect(data[data.length - 4]).toBeGreaterThan(150);
});

test.each([
  ["a JPEG that ends before its first row", half(bytesOf("grey.jpg"))],
  ["text", Buffer.from("not a picture at all, but a line of text")],
])("%s is refused with a sentence", async (_, bytes) => {
  await expect(decodeImage(new Blob([new Uint8Array(bytes)]))).rejects.toThrow(
    expect.objectContaining({ code: "bad-image" }),
  );
});
