import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dequantize } from "#engine/model/dequantize.ts";
import { blocksPerRow, blockSize, quantizeRows, zeroRowBytes, type Scheme } from "./quantize.ts";

function roundTrip(
  values: Float32Array<ArrayBuffer>,
  cols: number,
  bits: 4 | 8,
  scheme?: Scheme,
  importance?: Float32Array,
): Float32Array {
  const rows = values.length / cols;
  const out = new Float32Array(values.length);
  dequantize(
    { bits, block: blockSize, rows, cols, transpose: false, ...quantizeRows(values, cols, bits, scheme, importance) },
    out,
  );
  return out;
}

function squaredError(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0);
}

const matrix = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 80 }))
  .chain(([rows, cols]) =>
    fc
      .float32Array({ minLength: rows * cols, maxLength: rows * cols, min: -8, max: 8, noNaN: true })
      .map((values) => ({ rows, cols, values })),
  );

describe.each([4, 8] as const)("%i bits", (bits) => {
  test("no value is off by more than the plain scale's rounding and clipping allow, for any shape", () => {
    fc.assert(
      fc.property(matrix, ({ rows, cols, values }) => {
        const back = roundTrip(values, cols, bits);
        for (let row = 0; row < rows; row++) {
          for (let start = 0; start < cols; start += blockSize) {
            const from = row * cols + start;
            const to = row * cols + Math.min(cols, start + blockSize);
            const block = values.subarray(from, to);
            const peak = Math.max(...block.map(Math.abs));
            // Per value at most half a step, or a full one where +peak is cut off; together never worse than that.
            const step = peak / 2 ** (bits - 1);
            const error = squaredError(block, back.subarray(from, to));
            expect(error).toBeLessThanOrEqual(block.length * step ** 2 * 1.01 + 1e-12);
          }
        }
      }),
    );
  });

  test("the signed value of largest magnitude keeps its sign and size", () => {
    const values = new Float32Array(blockSize).fill(0.1);
    values[5] = -3;
    const back = roundTrip(values, blockSize, bits);
    expect(Math.abs((back[5] ?? 0) + 3)).toBeLessThan(0.25);
  });

  test("zeros stay zero and weigh nothing", () => {
    const { data, scales } = quantizeRows(new Float32Array(40), 40, bits);
    expect([...scales]).toEqual([0, 0]);
    expect([...roundTrip(new Float32Array(40), 40, bits)]).toEqual(new Array(40).fill(0));
    expect(data.length).toBe(2 * blockSize * (bits / 8));
  });

  test("tiny subnormal weights do not become NaN", () => {
    const values = new Float32Array(blockSize).fill(1e-45);
    expect(roundTrip(values, blockSize, bits).every((value) => Math.abs(value) < 1e-30)).toBe(true);
  });
});

describe.each([4, 8] as const)("%i bits with zero points", (bits) => {
  test("no block is further off than without them, for any shape", () => {
    fc.assert(
      fc.property(matrix, ({ rows, cols, values }) => {
        const [with_, without] = [roundTrip(values, cols, bits, "asymmetric"), roundTrip(values, cols, bits)];
        for (let row = 0; row < rows; row++) {
          for (let start = 0; start < cols; start += blockSize) {
            const block = [row * cols + start, row * cols + Math.min(cols, start + blockSize)] as const;
            const exact = values.subarray(...block);
            const error = squaredError(exact, with_.subarray(...block));
            expect(error).toBeLessThanOrEqual(squaredError(exact, without.subarray(...block)) * 1.001 + 1e-9);
          }
        }
      }),
    );
  });

  test("values on one side of zero are twice as near", () => {
    const values = Float32Array.from({ length: 96 }, (_, i) => 1 + ((i * 37) % 96) / 96);
    const error = (scheme: Scheme) => squaredError(values, roundTrip(values, 96, bits, scheme));
    expect(error("asymmetric")).toBeLessThan(error("symmetric") / 2);
  });

  test("each row's zero points begin at a byte, and what lies behind a row's end decodes to zero", () => {
    const values = Float32Array.from({ length: 2 * 70 }, (_, i) => 1 + (i % 7));
    const { data, scales, zeroPoints } = quantizeRows(values, 70, bits, "asymmetric");
    expect(zeroPoints?.length).toBe(2 * zeroRowBytes(70, bits));
    const padded = new Float32Array(2 * 96);
    dequantize({ bits, block: 32, rows: 2, cols: 96, transpose: false, data, scales, zeroPoints }, padded);
    expect([...padded.subarray(70, 96), ...padded.subarray(166)].every((value) => value === 0)).toBe(true);
  });

  test("zeros and subnormal weights stay finite", () => {
    for (const value of [0, 1e-45, -1e-45]) {
      const back = roundTrip(new Float32Array(40).fill(value), 40, bits, "asymmetric");
      expect(back.every((other) => Math.abs(other) < 1e-30)).toBe(true);
    }
  });
});

describe.each([4, 8] as const)("%i bits, weighted", (bits) => {
  const importance = Float32Array.from({ length: 70 }, (_, i) => ((i * 29) % 31 === 0 ? 50 : 0.2));
  const random = fc.sample(fc.float32Array({ minLength: 7000, maxLength: 7000, min: -1, max: 1, noNaN: true }), {
    numRuns: 1,
    seed: 5,
  });
  const values = (random[0] ?? new Float32Array()).map((value) => value ** 3);
  const weightedError = (scheme: Scheme, given?: Float32Array) => {
    const back = roundTrip(values, 70, bits, scheme, given);
    return values.reduce((sum, value, i) => sum + (importance[i % 70] ?? 0) * (value - (back[i] ?? 0)) ** 2, 0);
  };

  test.each(["symmetric", "asymmetric"] as const)("errors that matter get smaller: %s", (scheme) => {
    expect(weightedError(scheme, importance)).toBeLessThan(weightedError(scheme) * (bits === 4 ? 0.8 : 0.99));
  });

  test("importance that is the same everywhere, or nowhere any, changes nothing at 4 bits", () => {
    for (const value of [0, 3]) {
      const back = roundTrip(values, 70, 4, "asymmetric", new Float32Array(70).fill(value));
      const plain = roundTrip(values, 70, 4, "asymmetric");
      expect(squaredError(values, back)).toBeCloseTo(squaredError(values, plain), 4);
    }
  });

  test("importances of another matrix are refused", () => {
    expect(() => quantizeRows(values, 70, bits, "symmetric", new Float32Array(69))).toThrow(/69 importances for 70/);
  });
});

test("4-bit blocks that lie on a grid come back exactly", () => {
  const values = Float32Array.from({ length: 64 }, (_, i) => ((i % 16) - 8) * (i < 32 ? 0.25 : -0.5));
  roundTrip(values, 32, 4).forEach((value, i) => expect(value).toBeCloseTo(values[i] ?? NaN, 6));
});

test("the search makes a quarter less squared error on bell-shaped weights than a scale of peak/7", () => {
  let state = 1;
  const uniform = () => (state = (state * 16807) % 2147483647) / 2147483647;
  const values = Float32Array.from(
    { length: 32 * 400 },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
  const plain = values.map((value, i) => {
    const start = i - (i % blockSize);
    const scale = Math.max(...values.subarray(start, start + blockSize).map(Math.abs)) / 7;
    return Math.round(value / scale) * scale;
  });
  expect(squaredError(values, roundTrip(values, blockSize, 4))).toBeLessThan(squaredError(values, plain) * 0.75);
});

test("a row's last block is counted when it is not full", () => {
  expect([1, 32, 33].map(blocksPerRow)).toEqual([1, 1, 2]);
});
