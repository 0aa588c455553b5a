// Compares a mixture's second tower on the kernel with ONNX Runtime on the same graph, and with PyTorch.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import * as v from "valibot";
import { expect, test } from "vitest";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { openTower } from "#engine/model/kernel-load.ts";
import { memoryPackage, randomNumbers } from "#testing/fixtures.ts";
import { largestDifference, runGraphs } from "#testing/graph-runner.ts";
import { nodeKernelHelpers } from "./helpers.node.ts";

const fixtures = fileURLToPath(new URL("../../../training/fixtures/", import.meta.url));
const Golden = v.object({ imageSize: v.number(), photograph: v.array(v.number()) });
const golden = v.parse(Golden, JSON.parse(readFileSync(`${fixtures}mixture.golden.json`, "utf8")));
const shape = { layers: 2, kvHeads: 1, headSize: 16 };

test.each([
  [8, 1],
  [8, 3],
  [4, 2],
] as const)("at %i bits on %i threads the kernel gives what ONNX Runtime gives", async (bits, threads) => {
  const to = memoryPackage();
  const manifest = await convert(checkpointFolder(`${fixtures}mixture`), to, {
    bits: { vision: bits, embed: 8, decoder: 8 },
  });
  const runner = await runGraphs(ort, manifest, to.files, shape);
  const tower = await openTower(manifest.graphs.vision, to.files, golden.imageSize, nodeKernelHelpers(threads - 1));
  try {
    const random = randomNumbers(11);
    for (let picture = 0; picture < 3; picture++) {
      const pixels = Float32Array.from({ length: 3 * golden.imageSize ** 2 }, () => random() * 3 - 1.5);
      const expected = await runner.features(pixels, golden.imageSize);
      const seen = tower?.run(pixels);
      expect(seen?.features.length).toBe(expected.length);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largestDifference(seen?.features ?? expected, expected) / largest).toBeLessThan(2e-3);
    }
  } finally {
    tower?.release();
    await runner.release();
  }
});
