import { expect, test } from "vitest";
import { bf16ToF32, encodeFloats, f16ToF32 } from "#formats/float.ts";
import { quantizePlainly } from "./quantize-plain.ts";
import { quantizeStored, type StoredRows } from "./quantize.ts";

/** Numbers from 0 to 1, the same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

type Make = (next: () => number) => number;
const bell: Make = (next) => (next() + next() + next() - 1.5) * 0.04;
const kinds: Readonly<Record<string, Make>> = {
  "a bell": bell,
  "a wide range": (next) => (next() - 0.5) * 2 ** Math.floor(next() * 30 - 22),
  "few distinct values, so that roundings lie at a half": (next) => Math.round(next() * 32 - 16) / 16,
  "only positive": (next) => next() * 3,
  "only negative": (next) => -next(),
  "mostly zeros": (next) => (next() < 0.97 ? 0 : bell(next)),
  "subnormal at 16 bits": (next) => (next() - 0.5) * 6e-5,
  outliers: (next) => bell(next) * (next() < 0.02 ? 1e4 : 1),
};

/** The values as they are stored and as f32. */
function stored(values: Float32Array<ArrayBuffer>, dtype: StoredRows["dtype"]) {
  const bytes = encodeFloats(values, dtype);
  if (dtype === "F32") return { bytes, values };
  const halves = new Uint16Array(bytes.buffer);
  return { bytes, values: dtype === "F16" ? f16ToF32(halves) : bf16ToF32(halves) };
}

test.each(Object.entries(kinds))("the kernel yields the plain search's bits for %s", (_, make) => {
  const next = numbers(7);
  for (const dtype of ["F16", "BF16", "F32"] as const) {
    for (const [rows, cols] of [
      [40, 256],
      [5, 77],
    ] as const) {
      // prettier-ignore
      const { bytes, values } = stored(Float32Array.from({ length: rows * cols }, () => make(next)), dtype);
      const importance = Float32Array.from({ length: cols }, () => next() ** 4);
      for (const bits of [4, 8] as const) {
        for (const scheme of ["symmetric", "asymmetric"] as const) {
          for (const weights of [undefined, importance]) {
            const found = quantizeStored({ dtype, bytes, cols, bits, scheme, importance: weights });
            expect(found).toEqual(quantizePlainly(values, cols, bits, scheme, weights));
          }
        }
      }
    }
  }
});

test("every number of 16 bits is read as it is", () => {
  for (const [dtype, toF32, infinite] of [
    ["F16", f16ToF32, 0x7c00],
    ["BF16", bf16ToF32, 0x7f80],
  ] as const) {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => ((i & infinite) === infinite ? 0 : i));
    const bytes = new Uint8Array(halves.buffer);
    const found = quantizeStored({ dtype, bytes, cols: 32, bits: 8, scheme: "asymmetric" });
    expect(found).toEqual(quantizePlainly(toF32(halves), 32, 8, "asymmetric"));
  }
});

test.each(["F16", "BF16", "F32"] as const)("NaN and infinity are told, wherever they lie (%s)", (dtype) => {
  for (const value of [NaN, Infinity, -Infinity]) {
    for (const place of [0, 31, 32, 76]) {
      const values = new Float32Array(77).fill(0.1);
      values[place] = value;
      const { bytes } = stored(values, dtype);
      expect(quantizeStored({ dtype, bytes, cols: 77, bits: 4, scheme: "asymmetric" })).toBeUndefined();
    }
  }
});
