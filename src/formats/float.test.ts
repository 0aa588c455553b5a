import fc from "fast-check";
import { expect, test } from "vitest";
import { bf16ToF32, f16ToF32, f32ToF16Bits } from "./float.ts";

const allHalves = Uint16Array.from({ length: 65536 }, (_, i) => i);

test("every half-precision number survives the way to f32 and back", () => {
  const values = f16ToF32(allHalves);
  values.forEach((value, bits) => {
    if (Number.isNaN(value)) expect(f32ToF16Bits(value) & 0x7fff).toBeGreaterThan(0x7c00);
    else if (f32ToF16Bits(value) !== bits) expect.fail(`${bits} became ${f32ToF16Bits(value)}`);
  });
});

test("known half-precision numbers have their values", () => {
  expect([...f16ToF32(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00))]).toEqual([
    1,
    -2,
    65504,
    2 ** -24,
    2 ** -14,
    Infinity,
  ]);
});

test("f32 becomes the nearest half-precision number, the even one at a tie", () => {
  expect(f32ToF16Bits(1 + 2 ** -11)).toBe(0x3c00);
  expect(f32ToF16Bits(1 + 3 * 2 ** -11)).toBe(0x3c02);
  expect(f32ToF16Bits(65519)).toBe(0x7bff);
  expect(f32ToF16Bits(65520)).toBe(0x7c00);
  expect(f32ToF16Bits(2 ** -25)).toBe(0);
  fc.assert(
    fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const bits = f32ToF16Bits(value);
      const [below, near, above] = f16ToF32(Uint16Array.of(Math.max(bits - 1, bits & 0x8000), bits, bits + 1));
      const distance = Math.abs((near ?? NaN) - value);
      expect(distance).toBeLessThanOrEqual(Math.abs((below ?? NaN) - value));
      expect(distance).toBeLessThanOrEqual(Math.abs((above ?? NaN) - value));
    }),
  );
});

test("bfloat16 is the upper half of f32", () => {
  expect([...bf16ToF32(Uint16Array.of(0x3f80, 0xbf00, 0x4049))]).toEqual([1, -0.5, 3.140625]);
});
