// LoRA in the decoder's own kernel beside ONNX Runtime's graph with room for an adapter, on random decoders with random adapters.
import { describe, expect, test } from "vitest";
import type { AdapterPackage } from "#engine/model/adapter.ts";
import { loadModel } from "#engine/model/load.ts";
import type { Model } from "#engine/model/model.ts";
import type { AdapterIndex, AdapterSite, PackageInfo } from "#engine/package.ts";
import { nodeKernelHelpers } from "#engine/kernel/helpers.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { randomNumbers } from "#testing/fixtures.ts";
import { decoderSizes as sizes, shapedDecoder } from "#testing/shaped-decoder.node.ts";

const numbers = randomNumbers(7);
const prompt = Float32Array.from({ length: 80 * sizes.hidden }, () => numbers() * 2 - 1);

/** An adapter with random numbers. `rankOf` tells the rank of a layer's matrix, 0 for none. */
function randomAdapter(
  info: PackageInfo,
  sites: readonly AdapterSite[],
  seed: number,
  rankOf: (layer: number, of: string) => number,
): AdapterPackage {
  const random = randomNumbers(seed);
  const weights: AdapterIndex["weights"][number][] = [];
  const values: number[] = [];
  for (let layer = 0; layer < sizes.layers; layer++) {
    for (const { inputs, parts } of sites) {
      for (const { of, outputs } of parts) {
        const rank = rankOf(layer, of);
        if (rank === 0) continue;
        weights.push({ layer, of, rank, offset: values.length * 4 });
        // As strong as adapters are: a fraction of the matrix.
        for (let i = 0; i < (inputs + outputs) * rank; i++)
          values.push((0.3 * (random() + random() - 1)) / Math.sqrt(rank));
      }
    }
  }
  const blobs = new Map([
    ["index.json", new Blob([JSON.stringify({ version: 1, weights })])],
    ["data", new Blob([Float32Array.from(values)])],
  ]);
  const fits = info.graphs.decoder.adaptable?.fits ?? "";
  return {
    info: { model: { ...info.model, id: "a", name: "a" }, adapter: { fits, baseName: "shaped", bits: 32, index: "index.json", data: "data" } }, // prettier-ignore
    files: { blob: (path) => Promise.resolve(blobs.get(path) ?? new Blob()) },
  };
}

/** The logits after each of 40 rows at once, and then after each of 40 more one by one. */
async function logitsOf(runtime: Runtime, { decoder }: Model): Promise<Float32Array[]> {
  const cache = decoder.createCache(300);
  const found: Float32Array[] = [];
  for (const [from, to] of [[0, 40], ...Array.from({ length: 40 }, (_, i) => [40 + i, 41 + i])] as [number, number][]) {
    const rows = prompt.slice(from * sizes.hidden, to * sizes.hidden);
    const embeds = runtime.tensor("float32", rows, [1, to - from, sizes.hidden]);
    const slots = Array.from({ length: to - from }, (_, i) => from + i);
    found.push(...(await decoder.run(embeds, slots, cache, to - from)));
    embeds.dispose();
  }
  cache.dispose();
  return found;
}

/** The largest difference, in parts of the second one's root mean square. */
function worst(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  return Math.max(
    ...a.map((row, at) => {
      const other = b[at] ?? new Float32Array();
      const rms = Math.sqrt(other.reduce((sum, value) => sum + value * value, 0) / other.length);
      return row.reduce((most, value, i) => Math.max(most, Math.abs(value - (other[i] ?? NaN))), 0) / rms;
    }),
  );
}

describe.each([
  [4, "asymmetric", "llama", 0],
  [4, "symmetric", "qwen2", 1],
  [8, "asymmetric", "gemma2", 2],
] as const)("%i bits, %s, %s, %i helpers", (bits, scheme, architecture, helpers) => {
  test("the logits are the runtime's, with one adapter after another, and without one the base's", async () => {
    const { info, files } = await shapedDecoder(bits, scheme, architecture, true);
    const sites = info.graphs.decoder.adaptable?.sites ?? [];
    const runtime = createNodeRuntime({ threads: 1 });
    const plain: Runtime = { ...runtime, kernel: undefined };
    const whole: Runtime = { ...runtime, kernel: { helpers: nodeKernelHelpers(helpers) } };
    const options = { files, info, memoryBudget: 0 };
    const theirs = await loadModel({ ...options, runtime: plain, adaptable: true });
    const own = await loadModel({ ...options, runtime: whole });
    expect([own.ownKernel, theirs.ownKernel]).toEqual([true, false]);
    const base = await logitsOf(runtime, own);
    const adapters = [
      randomAdapter(info, sites, 1, () => 8),
      // Takes less room: parts, sites and a layer are left alone, ranks are odd.
      randomAdapter(info, sites, 2, (layer, of) =>
        layer === 1 || /v_proj|gate/.test(of) ? 0 : of.includes("q_") ? 3 : 5,
      ),
      // Takes more.
      randomAdapter(info, sites, 3, (layer) => 17 + layer),
      randomAdapter(info, sites, 4, (layer, of) => (layer === 2 && of === "self_attn.k_proj" ? 1 : 0)),
    ];
    for (const adapter of adapters) {
      await theirs.adapt(adapter);
      await own.adapt(adapter);
      const [expected, found] = [await logitsOf(runtime, theirs), await logitsOf(runtime, own)];
      expect(worst(found, expected)).toBeLessThan(1.6e-3);
      expect(worst(found, base)).toBeGreaterThan(0.01);
    }
    await own.adapt(undefined);
    expect(await logitsOf(runtime, own)).toEqual(base);
    await own.dispose();
    await theirs.dispose();
    expect(runtime.aliveTensors).toBe(0);
    await runtime.dispose();
  });
});

test("where a host reads long prompts in a session, both have the adapter", async () => {
  const { info, files } = await shapedDecoder(4, "asymmetric", "llama", true);
  const adapter = randomAdapter(info, info.graphs.decoder.adaptable?.sites ?? [], 1, () => 4);
  const runtime = createNodeRuntime({ threads: 1 });
  const mixed = await loadModel({ runtime, files, info, memoryBudget: 0 });
  const alone = await loadModel({ runtime: { ...runtime, kernel: undefined }, files, info, memoryBudget: 0 });
  const base = await logitsOf(runtime, mixed);
  await mixed.adapt(adapter);
  await alone.adapt(adapter);
  expect([mixed.ownKernel, alone.ownKernel]).toEqual([true, false]);
  expect(worst(await logitsOf(runtime, mixed), await logitsOf(runtime, alone))).toBeLessThan(1.6e-3);
  await mixed.adapt(undefined);
  // The session has room now, which rounds in another order.
  expect(worst(await logitsOf(runtime, mixed), base)).toBeLessThan(1.6e-3);
  await mixed.dispose();
  await alone.dispose();
  await runtime.dispose();
});

test("an adapter that can't be read leaves the one before", async () => {
  const { info, files } = await shapedDecoder(4, "asymmetric", "llama", true);
  const sites = info.graphs.decoder.adaptable?.sites ?? [];
  const runtime = createNodeRuntime({ threads: 1 });
  const own = await loadModel({
    runtime: { ...runtime, kernel: { helpers: undefined } },
    files,
    info,
    memoryBudget: 0,
  });
  await own.adapt(randomAdapter(info, sites, 1, () => 8));
  const before = await logitsOf(runtime, own);
  const broken = randomAdapter(info, sites, 2, () => 8);
  const data = await broken.files.blob("data");
  const unreadable = Object.assign(new Blob(), {
    slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }),
  });
  Object.defineProperty(unreadable, "size", { value: data.size });
  const gone = { ...broken, files: { blob: (path: string) => (path === "data" ? Promise.resolve(unreadable) : broken.files.blob(path)) } }; // prettier-ignore
  await expect(own.adapt(gone)).rejects.toThrow("gone");
  expect(await logitsOf(runtime, own)).toEqual(before);
  await own.dispose();
  await runtime.dispose();
});
