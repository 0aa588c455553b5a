// The mixture of towers against PyTorch (training/make_mixture_golden.py), at every width.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { memoryPackage } from "#testing/fixtures.ts";
import { largestDifference, runGraphs } from "#testing/graph-runner.ts";
import { cubicMatrix, spreadMatrix } from "./resample.ts";

const fixtures = fileURLToPath(new URL("../../../training/fixtures/", import.meta.url));
const numbers = v.array(v.number());
const Golden = v.object({ imageSize: v.number(), tokens: numbers, shares: numbers, photograph: numbers });
const golden = v.parse(Golden, JSON.parse(readFileSync(`${fixtures}mixture.golden.json`, "utf8")));

/** The same formula as the fixture's, [1, 3, size, size]. */
function formula(size: number): Float32Array {
  return Float32Array.from({ length: 3 * size * size }, (_, i) => {
    const [channel, y, x] = [Math.floor(i / size ** 2), Math.floor(i / size) % size, i % size];
    return Math.sin(x * 0.37 + channel) + Math.cos(y * (0.21 + 0.1 * channel));
  });
}

describe.each([
  [32, 1e-4],
  [16, 5e-3],
  [8, 5e-2],
] as const)("at %i bits", (bits, tolerance) => {
  test("the picture tokens are PyTorch's", async () => {
    const to = memoryPackage();
    const manifest = await convert(checkpointFolder(`${fixtures}mixture`), to, {
      bits: { vision: bits, embed: bits, decoder: bits },
    });
    const shape = { layers: 2, kvHeads: 1, headSize: 16 };
    const runner = await runGraphs(ort, manifest, to.files, shape);
    try {
      const features = await runner.features(formula(golden.imageSize), golden.imageSize);
      expect(features.length).toBe(golden.tokens.length);
      const largest = Math.max(...golden.tokens.map(Math.abs));
      expect(largestDifference(features, Float32Array.from(golden.tokens)) / largest).toBeLessThan(tolerance);
      expect(manifest.model.imageTokens).toBe(19);
    } finally {
      await runner.release();
    }
  });
});

test("resampling leaves what is the same everywhere as it is", () => {
  for (const [matrix, from] of [
    [cubicMatrix(224, 160), 224],
    [cubicMatrix(48, 32), 48],
    [cubicMatrix(20, 50), 20],
    [spreadMatrix(7, 10), 49],
    [spreadMatrix(10, 7), 100],
  ] as const) {
    for (let row = 0; row < matrix.length / from; row++) {
      const sum = matrix.subarray(row * from, (row + 1) * from).reduce((total, weight) => total + weight, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
  }
});
