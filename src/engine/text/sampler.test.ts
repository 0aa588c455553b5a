import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { argmax, candidates, createRandom, createSampler } from "./sampler.ts";
import type { Sampling } from "#engine/types.ts";

const plain: Sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
const none: ReadonlySet<number> = new Set();
const logOf = (...probabilities: number[]): Float32Array => Float32Array.from(probabilities, Math.log);
const tokens = (logits: Float32Array, sampling: Partial<Sampling>): number[] =>
  candidates(logits, { ...plain, ...sampling }).map(({ token }) => token);

describe("filters", () => {
  const logits = logOf(0.1, 0.4, 0.05, 0.3, 0.15);

  test("without filters every token may be drawn, with its softmax probability", () => {
    const all = candidates(logits, plain);
    expect(all.map(({ token }) => token)).toEqual([0, 1, 2, 3, 4]);
    expect(all[1]?.probability).toBeCloseTo(0.4, 6);
  });

  test("top-k keeps the k likeliest, the lower id of equals", () => {
    expect(tokens(logits, { topK: 2 })).toEqual([1, 3]);
    expect(tokens(Float32Array.of(1, 1, 1, 1), { topK: 2 })).toEqual([0, 1]);
  });

  test("top-p keeps the smallest set that reaches p, at least one token", () => {
    expect(tokens(logits, { topP: 0.69 })).toEqual([1, 3]);
    expect(tokens(logits, { topP: 0.71 })).toEqual([1, 3, 4]);
    expect(tokens(logits, { topP: 0.001 })).toEqual([1]);
  });

  test("top-p counts only what top-k left over", () => {
    // After top-k 2 the two have 4/7 and 3/7.
    expect(tokens(logits, { topK: 2, topP: 0.57 })).toEqual([1]);
    expect(tokens(logits, { topK: 2, topP: 0.58 })).toEqual([1, 3]);
  });

  test("min-p drops tokens below its share of the likeliest one", () => {
    expect(tokens(logits, { minP: 0.3 })).toEqual([1, 3, 4]);
    expect(tokens(logits, { minP: 1 })).toEqual([1]);
  });

  test("temperature comes first: a hot one makes top-p keep more", () => {
    expect(tokens(logits, { topP: 0.69, temperature: 4 })).toHaveLength(4);
  });

  test("the heap agrees with a full sort on any logits", () => {
    const values = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.nat(50), (numbers, k) => {
        const row = Float32Array.from(numbers);
        const sorted = [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b);
        const expected = sorted.slice(0, k === 0 ? row.length : k).sort((a, b) => a - b);
        expect(tokens(row, { topK: k })).toEqual(expected);
      }),
    );
  });
});

describe("drawing", () => {
  test("temperature 0 and up to 0.001 takes the largest logit, the first of equals", () => {
    for (const temperature of [0, 0.001]) {
      const sampler = createSampler({ ...plain, temperature });
      expect(sampler.next(Float32Array.of(1, 5, 5, 2), none)).toBe(1);
    }
    expect(argmax(Float32Array.of(-3, -1, -2))).toBe(1);
  });

  test("the same seed draws the same tokens, another seed others", () => {
    const logits = new Float32Array(1000);
    const draw = (seed: number): number[] => {
      const sampler = createSampler({ ...plain, seed });
      return Array.from({ length: 20 }, () => sampler.next(logits, none));
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test("tokens come up as often as their probabilities say", () => {
    const probabilities = [0.5, 0.25, 0.15, 0.1];
    const sampler = createSampler({ ...plain, seed: 1 });
    const counts = [0, 0, 0, 0];
    const draws = 20_000;
    for (let i = 0; i < draws; i++) {
      const token = sampler.next(logOf(...probabilities), none);
      counts[token] = (counts[token] ?? 0) + 1;
    }
    const chiSquare = probabilities.reduce((sum, p, i) => sum + ((counts[i] ?? 0) - p * draws) ** 2 / (p * draws), 0);
    expect(chiSquare).toBeLessThan(16.3); // 3 degrees of freedom, p = 0.001
  });

  test("a difference in the last bit between devices does not move a draw to another token", () => {
    const logits = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i * 12.9898) * 0.3);
    const nudged = logits.map((value, i) => value + (i % 2 === 0 ? 5e-7 : -5e-7));
    const a = createSampler({ ...plain, seed: 5 });
    const b = createSampler({ ...plain, seed: 5 });
    const same = Array.from({ length: 500 }, () => a.next(logits, none) === b.next(nudged, none));
    expect(same.filter((equal) => !equal).length).toBeLessThanOrEqual(1);
  });

  test("repetition penalty lowers tokens that were seen, of either sign", () => {
    const sampler = createSampler({ ...plain, temperature: 0, repetitionPenalty: 2 });
    expect(sampler.next(Float32Array.of(3, 2, -1), new Set([0]))).toBe(1);
    expect(sampler.next(Float32Array.of(-1, -1.5), new Set([0]))).toBe(1);
    expect(sampler.next(Float32Array.of(3, 2), new Set([-1, 99]))).toBe(0);
  });

  test("random numbers are spread evenly over [0, 1)", () => {
    const random = createRandom(42);
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const bin = Math.floor(random() * 10);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    for (const count of bins) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});
