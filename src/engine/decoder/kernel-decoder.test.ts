// The decoder's own kernel beside ONNX Runtime on the same packages, random and tiny but of the shapes it asks for.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeKernelHelpers } from "#engine/kernel/helpers.node.ts";
import { decodeLast, type Decoder } from "./decoder.ts";
import { createKernelDecoder } from "./kernel-decoder.ts";
import type { KvCache } from "./kv-cache.ts";
import { openLlama } from "#engine/model/kernel-load.ts";
import { loadModel } from "#engine/model/load.ts";
import type { Model } from "#engine/model/model.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { convert } from "#convert/convert.ts";
import { memoryCheckpoint, memoryPackage, randomNumbers, tinyFiles } from "#testing/fixtures.ts";
import { decoderSizes as sizes, shapedDecoder, type ShapedArchitecture } from "#testing/shaped-decoder.node.ts";
import type { Bits } from "#convert/onnx/weight-ops.ts";
import type { Scheme } from "#convert/quantize/quantize.ts";

/** The same runtime without the kernel of our own. */
const plain = (runtime: Runtime): Runtime => ({ ...runtime, kernel: undefined });
const numbers = randomNumbers(5);
const rowsOf = (count: number) => Float32Array.from({ length: count * sizes.hidden }, () => numbers() * 2 - 1);
const slotsOf = (count: number) => Array.from({ length: count }, (_, i) => i);
const prompt = rowsOf(300);
const part = (from: number, to: number) => prompt.slice(from * sizes.hidden, to * sizes.hidden);

/** Runs rows of embeddings; the logits after each of the last `keep` of them. */
async function runRows(
  runtime: Runtime,
  decoder: Decoder,
  rows: Float32Array,
  slots: readonly number[],
  cache: KvCache,
  keep: number,
): Promise<Float32Array[]> {
  const embeds = runtime.tensor("float32", rows, [1, slots.length, sizes.hidden]);
  return decoder.run(embeds, slots, cache, keep).finally(() => embeds.dispose());
}

/** The largest difference, in parts of the second one's root mean square, since logits of some architectures are larger. */
function worst(a: Float32Array | undefined, b: Float32Array | undefined): number {
  if (!a || !b || a.length !== b.length || a.length !== sizes.vocab) return NaN;
  const rms = Math.sqrt(b.reduce((sum, value) => sum + value * value, 0) / b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0) / rms;
}

const cases: readonly (readonly [Bits, Scheme, ShapedArchitecture])[] = [
  [4, "asymmetric", "llama"],
  [4, "symmetric", "qwen2"],
  [8, "symmetric", "llama"],
  [8, "asymmetric", "qwen2"],
  [4, "asymmetric", "mistral"],
  [4, "asymmetric", "qwen3"],
  [4, "asymmetric", "gemma"],
  [4, "asymmetric", "gemma2"],
];
describe.each(cases)("%i bits, %s, %s", (bits, scheme, architecture) => {
  let model: Model;
  let own: Decoder;
  let runtime: Runtime;
  let cache: KvCache;
  beforeAll(async () => {
    const { info, files } = await shapedDecoder(bits, scheme, architecture);
    runtime = plain(createNodeRuntime({ threads: 1 }));
    model = await loadModel({ runtime, files, info, memoryBudget: 0 });
    const opened = await openLlama(info.graphs.decoder, files, { contextLength: 300, helpers: undefined });
    if (!opened) throw new Error("the kernel does not take the graph");
    own = createKernelDecoder(runtime, opened);
    cache = own.createCache(300);
  });
  afterAll(async () => {
    await own.release();
    await model.dispose();
  });
  const theirs = async (rows: Float32Array<ArrayBuffer>, cache: KvCache) => {
    const count = rows.length / sizes.hidden;
    return runRows(runtime, model.decoder, rows, slotsOf(count), cache, count);
  };

  test("the logits after every row are the runtime's", async () => {
    const reference = model.decoder.createCache(300);
    const expected = await theirs(part(0, 40), reference);
    cache.truncate(0);
    const found = await runRows(runtime, own, part(0, 40), slotsOf(40), cache, 40);
    expect(found).toHaveLength(40);
    expect(Math.max(...found.map((row, i) => worst(row, expected[i])))).toBeLessThan(1.6e-3);
    reference.dispose();
  });

  test("pieces of any size, and rows taken back, end in the same logits, bit for bit", async () => {
    const reference = model.decoder.createCache(300);
    const expected = (await theirs(part(0, 300), reference)).at(-1);
    reference.dispose();
    let bits: Float32Array | undefined;
    for (const step of [1, 7, 64, 300]) {
      cache.truncate(0);
      await runRows(runtime, own, part(200, 230), slotsOf(30), cache, 1);
      cache.truncate(0);
      let last: Float32Array | undefined;
      for (let from = 0; from < 300; from += step) {
        const to = Math.min(300, from + step);
        [last] = await runRows(runtime, own, part(from, to), slotsOf(to - from), cache, 1);
      }
      expect(cache.slots).toHaveLength(300);
      expect(worst(last, expected)).toBeLessThan(1.6e-3);
      bits ??= last;
      expect(last).toEqual(bits);
    }
  });

  test("more rows than the context holds are refused", async () => {
    cache.truncate(0);
    await runRows(runtime, own, part(0, 300), slotsOf(300), cache, 1);
    const more = runRows(runtime, own, rowsOf(21), slotsOf(21), cache, 1);
    await expect(more).rejects.toThrow("do not fit");
  });
});

test("several threads give the same bits as one, more of them than cores and after a rest, too", async () => {
  const { info, files } = await shapedDecoder(4, "asymmetric");
  const runtime = createNodeRuntime({ threads: 1 });
  const found: Float32Array[][] = [];
  for (const helpers of [0, 1, 5]) {
    const llama = await openLlama(info.graphs.decoder, files, {
      contextLength: 300,
      helpers: nodeKernelHelpers(helpers),
    });
    if (!llama) throw new Error("the kernel does not take the graph");
    const own = createKernelDecoder(runtime, llama);
    const cache = own.createCache(300);
    const answers = await runRows(runtime, own, part(0, 90), slotsOf(90), cache, 1);
    for (let i = 90; i < 130; i++) answers.push(...(await runRows(runtime, own, part(i, i + 1), [i], cache, 1)));
    // Short runs, so that helpers come late to many, and miss some.
    for (let run = 0; run < 400; run++) {
      cache.truncate(60 + ((run * 37) % 60));
      const from = cache.slots.length;
      const to = from + (run % 9 === 0 ? 13 : 1);
      if (run % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      answers.push(...(await runRows(runtime, own, part(from, to), slotsOf(to - from), cache, 1)));
    }
    found.push(answers);
    await own.release();
  }
  expect(found[1]).toEqual(found[0]);
  expect(found[2]).toEqual(found[0]);
});

test("rows may be added by the runtime and by the kernel in turns", async () => {
  const { info, files } = await shapedDecoder(4, "asymmetric");
  const mixed = createNodeRuntime({ threads: 2 });
  const model = await loadModel({ runtime: mixed, files, info, memoryBudget: 0 });
  const alone = await loadModel({ runtime: plain(mixed), files, info, memoryBudget: 0 });
  expect([model.ownKernel, alone.ownKernel]).toEqual([true, false]);
  const ends: (Float32Array | undefined)[] = [];
  for (const one of [model, alone]) {
    const cache = one.decoder.createCache(300);
    let from = 0;
    for (const count of [70, 1, 3, 100, 1, 1, 64]) {
      const embeds = mixed.tensor("float32", part(from, from + count), [1, count, sizes.hidden]);
      const found = await decodeLast(one.decoder, embeds, slotsOf(count), cache);
      embeds.dispose();
      from += count;
      if (from === 240) ends.push(found);
    }
    cache.dispose();
    await one.dispose();
  }
  expect(worst(ends[0], ends[1])).toBeLessThan(1.6e-3);
  expect(mixed.aliveTensors).toBe(0);
});

test("of two caches of one decoder the one used last holds rows", async () => {
  const { info, files } = await shapedDecoder(4, "symmetric");
  const llama = await openLlama(info.graphs.decoder, files, { contextLength: 300, helpers: undefined });
  if (!llama) throw new Error("the kernel does not take the graph");
  const runtime = createNodeRuntime({ threads: 1 });
  const own = createKernelDecoder(runtime, llama);
  const [first, second] = [own.createCache(300), own.createCache(300)];
  const [alone] = await runRows(runtime, own, part(0, 20), slotsOf(20), first, 1);
  await runRows(runtime, own, part(50, 60), slotsOf(10), second, 1);
  expect([first.slots.length, second.slots.length]).toEqual([0, 10]);
  expect((await runRows(runtime, own, part(0, 20), slotsOf(20), first, 1))[0]).toEqual(alone);
  await own.release();
});

test("a graph of other shapes or widths is left to the runtime", async () => {
  const odd = memoryPackage();
  const manifest = await convert(memoryCheckpoint("tiny", tinyFiles()), odd, {
    bits: { vision: 32, embed: 32, decoder: 4 },
  });
  expect(
    await openLlama(manifest.graphs.decoder, odd.files, { contextLength: 256, helpers: undefined }),
  ).toBeUndefined();
  const { info, files } = await shapedDecoder(16, "symmetric");
  expect(await openLlama(info.graphs.decoder, files, { contextLength: 256, helpers: undefined })).toBeUndefined();
});
