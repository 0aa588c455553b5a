// The same tiny checkpoint through every width and both CPU runtimes: what must agree, agrees. No reference here, see golden.test.ts.
import * as node from "onnxruntime-node";
import * as web from "onnxruntime-web/wasm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expand, parseExpansion } from "#engine/model/dequantize.ts";
import type { Manifest, ManifestGraph } from "#weights/manifest.ts";
import { convert } from "#convert/convert.ts";
import {
  memoryCheckpoint,
  memoryPackage,
  randomNumbers,
  tiny,
  tinyConfig,
  tinyFiles,
  tinyTensors,
} from "#testing/fixtures.ts";
import type { KeyLayout, MemoryPackage } from "#testing/fixtures.ts";
import { greedyIds, largestDifference, promptRows, runGraphs, type GraphRunner } from "#testing/graph-runner.ts";
import type { Bits } from "./weight-ops.ts";
import type { Scheme } from "#convert/quantize/quantize.ts";

web.env.wasm.numThreads = 1;

const shape = { layers: tiny.text.layers, kvHeads: tiny.text.kvHeads, headSize: tiny.text.headSize };
const image = 4;
const ids = [1, 7, 9, image, image, image, image, 20, 33, 41, 70];
const random = randomNumbers(3);
const pixels = Float32Array.from({ length: 3 * tiny.vision.image ** 2 }, () => random() * 2 - 1);

async function convertTiny(
  bits: Bits,
  layout: KeyLayout = "llava-hf",
  scheme?: Scheme,
): Promise<{ manifest: Manifest; to: MemoryPackage }> {
  const to = memoryPackage();
  const from = memoryCheckpoint("tiny", tinyFiles(tinyTensors(layout)));
  const manifest = await convert(from, to, { bits: { vision: bits, embed: bits, decoder: bits }, scheme });
  return { manifest, to };
}

async function allLogits(runner: GraphRunner): Promise<Float32Array> {
  const features = await runner.features(pixels, tiny.vision.image);
  const rows = await promptRows(runner, ids, image, features);
  return (await runner.decode(rows, ids.length, undefined, 0, 0)).logits.slice();
}

let reference: Float32Array;
let runner: GraphRunner;
beforeAll(async () => {
  const { manifest, to } = await convertTiny(32);
  runner = await runGraphs(node, manifest, to.files, shape);
  reference = await allLogits(runner);
});
afterAll(() => runner.release());

test("the random model says something: logits differ from each other and from position to position", () => {
  expect(reference.length).toBe(ids.length * tiny.text.vocab);
  expect(largestDifference(reference.subarray(0, 80), reference.subarray(80, 160))).toBeGreaterThan(0.5);
});

test("keeping the last n logits gives the last n of all", async () => {
  const rows = await promptRows(runner, ids, image, await runner.features(pixels, tiny.vision.image));
  for (const keep of [1, 3]) {
    const { logits } = await runner.decode(rows, ids.length, undefined, 0, keep);
    expect(largestDifference(logits, reference.subarray(reference.length - keep * tiny.text.vocab))).toBeLessThan(1e-5);
  }
});

test("a prompt given in chunks ends in the same logits as in one piece", async () => {
  const rows = await promptRows(runner, ids, image, await runner.features(pixels, tiny.vision.image));
  const hidden = tiny.text.hidden;
  for (const chunk of [1, 4]) {
    let done = 0;
    let step: Awaited<ReturnType<GraphRunner["decode"]>> | undefined;
    while (done < ids.length) {
      const count = Math.min(chunk, ids.length - done);
      const part = rows.slice(done * hidden, (done + count) * hidden);
      step = await runner.decode(part, count, step?.cache, done, 1);
      done += count;
    }
    const last = reference.subarray(reference.length - tiny.text.vocab);
    expect(largestDifference(step?.logits ?? [], last)).toBeLessThan(1e-4);
  }
});

test("the replayable decoder says what the plain one says: whole and in parts, all positions and the last", async () => {
  const { manifest, to } = await convertTiny(4);
  const { decoder } = manifest.graphs;
  const replayable = {
    ...manifest,
    graphs: { ...manifest.graphs, decoder: { ...decoder, path: decoder.replayable ?? "" } },
  };
  const [plain, other] = await Promise.all([manifest, replayable].map((one) => runGraphs(node, one, to.files, shape)));
  if (!plain || !other) throw new Error("no graphs");
  expect(largestDifference(await allLogits(other), await allLogits(plain))).toBe(0);
  const rows = await promptRows(plain, ids, image, await plain.features(pixels, tiny.vision.image));
  const split = 7 * tiny.text.hidden;
  const inParts = async (runner: GraphRunner): Promise<Float32Array> => {
    const { cache } = await runner.decode(rows.slice(0, split), 7, undefined, 0, 1);
    return (await runner.decode(rows.slice(split), ids.length - 7, cache, 7, 2)).logits.slice();
  };
  expect(largestDifference(await inParts(other), await inParts(plain))).toBe(0);
  await Promise.all([plain.release(), other.release()]);
});

test("decoding with the cache says what a fresh prefill of the whole says", async () => {
  const rows = await promptRows(runner, ids, image, await runner.features(pixels, tiny.vision.image));
  const generated = await greedyIds(runner, rows, ids.length, 6);
  const again = new Float32Array(rows.length + 5 * tiny.text.hidden);
  again.set(rows);
  again.set(await runner.embed(generated.slice(0, 5)), rows.length);
  const { logits } = await runner.decode(again, ids.length + 5, undefined, 0, 6);
  const argmax = (row: Float32Array) => row.indexOf(Math.max(...row));
  const fresh = Array.from({ length: 6 }, (_, i) =>
    argmax(logits.subarray(i * tiny.text.vocab, (i + 1) * tiny.text.vocab)),
  );
  expect(fresh).toEqual(generated);
});

test("several pictures in one batch have the features they have alone", async () => {
  const other = pixels.map((value) => -value);
  const both = new Float32Array(2 * pixels.length);
  both.set(pixels);
  both.set(other, pixels.length);
  const together = await runner.features(both, tiny.vision.image);
  const alone = [
    ...(await runner.features(pixels, tiny.vision.image)),
    ...(await runner.features(other, tiny.vision.image)),
  ];
  expect(largestDifference(together, alone)).toBeLessThan(1e-5);
});

test("the newer layout of keys makes the same model", async () => {
  const { manifest, to } = await convertTiny(32, "transformers");
  const newer = await runGraphs(node, manifest, to.files, shape);
  expect(largestDifference(await allLogits(newer), reference)).toBe(0);
  await newer.release();
});

test("on WASM the f32 model computes the same", async () => {
  const { manifest, to } = await convertTiny(32);
  const wasm = await runGraphs(web, manifest, to.files, shape);
  expect(largestDifference(await allLogits(wasm), reference)).toBeLessThan(1e-4);
  await wasm.release();
});

test("16 bits stay close to 32", async () => {
  const { manifest, to } = await convertTiny(16);
  const half = await runGraphs(node, manifest, to.files, shape);
  expect(largestDifference(await allLogits(half), reference)).toBeLessThan(0.02);
  await half.release();
});

describe.each([
  [4, "symmetric"],
  [8, "symmetric"],
  [4, "asymmetric"],
  [8, "asymmetric"],
] as const)("%i bits, %s", (bits, scheme) => {
  test("node, WASM and the expanded f32 graphs compute the same, near to 32 bits", async () => {
    const { manifest, to } = await convertTiny(bits, "llava-hf", scheme);
    const quantized = await runGraphs(node, manifest, to.files, shape);
    const logits = await allLogits(quantized);
    const rms = (values: Float32Array) => Math.hypot(...values) / Math.sqrt(values.length);
    const off = rms(logits.map((value, i) => value - (reference[i] ?? NaN))) / rms(reference);
    expect(off).toBeLessThan(bits === 4 ? 0.4 : 0.03);
    await quantized.release();

    const wasm = await runGraphs(web, manifest, to.files, shape);
    expect(largestDifference(await allLogits(wasm), logits)).toBeLessThan(1e-3);
    await wasm.release();

    const data = async ({ expanded }: ManifestGraph) => {
      const path = expanded?.recipe ?? "";
      const files = await expand(parseExpansion(JSON.parse(await (await to.files.blob(path)).text()), path), to.files);
      expect(files.reduce((sum, file) => sum + new Blob([file.data]).size, 0)).toBe(expanded?.bytes);
      return files;
    };
    const { vision, decoder } = manifest.graphs;
    const expanded = await runGraphs(node, manifest, to.files, shape, {
      vision: await data(vision),
      decoder: await data(decoder),
    });
    expect(largestDifference(await allLogits(expanded), logits)).toBeLessThan(1e-3);
    await expanded.release();
  });
});

describe("a projector computes its activation", () => {
  const tanhGelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const tensors = tinyTensors();
  const { values: weight = new Float32Array() } = tensors.get("multi_modal_projector.linear_2.weight") ?? {};
  const { values: bias = new Float32Array() } = tensors.get("multi_modal_projector.linear_2.bias") ?? {};

  /** Features of the picture with a projector of this config. */
  async function featuresWith(change: object, ort: typeof node | typeof web): Promise<Float32Array> {
    const to = memoryPackage();
    // A linear projector has one layer, and a tensor that a model does not read is refused.
    const read = new Map(
      [...tensors].filter(([name]) => !("mm_projector_type" in change) || !name.includes("linear_2")),
    );
    const from = memoryCheckpoint("tiny", tinyFiles(read, { ...tinyConfig(), ...change }));
    const manifest = await convert(from, to, { bits: { vision: 32, embed: 32, decoder: 32 } });
    const graphs = await runGraphs(ort, manifest, to.files, shape);
    const features = Float32Array.from(await graphs.features(pixels, tiny.vision.image));
    await graphs.release();
    return features;
  }

  test.each<[string, (x: number) => number]>([
    ["gelu_pytorch_tanh", tanhGelu],
    ["relu", (x) => Math.max(0, x)],
    ["silu", (x) => x * sigmoid(x)],
    ["quick_gelu", (x) => x * sigmoid(1.702 * x)],
  ])("%s", async (name, activate) => {
    const size = tiny.text.hidden;
    const middle = (await featuresWith({ mm_projector_type: "linear" }, node)).map(activate);
    const expected = middle.map((_, at) => {
      const [row, out] = [Math.floor(at / size), at % size];
      let sum = bias[out] ?? NaN;
      for (let i = 0; i < size; i++) sum += (weight[out * size + i] ?? NaN) * (middle[row * size + i] ?? NaN);
      return sum;
    });
    for (const ort of [node, web]) {
      expect(largestDifference(await featuresWith({ projector_hidden_act: name }, ort), expected)).toBeLessThan(1e-4);
    }
  });
});
