// What room for an adapter costs: decode steps of one package, plain, with room and no adapter, and with adapters, taken in turns.
//   node scripts/run.mjs bench/adapter.ts <checkpoint, or "wide" for random layers of a 1-billion-weights model's width> [rounds]
import { basename } from "node:path";
import { performance } from "node:perf_hooks";
import { convertAdapter } from "#convert/adapter.ts";
import { randomAdapter } from "#testing/adapter-fixture.ts";
import { convert } from "#convert/convert.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { memoryCheckpoint, memoryPackage, tinyConfig, tinyFiles, tinyTensors } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { decodeLast } from "#engine/decoder/decoder.ts";
import { loadModel } from "#engine/model/load.ts";
import type { Model } from "#engine/model/model.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";

const [path = "training/fixtures/tiny-llava", rounds = "8"] = process.argv.slice(2);

/** The tiny checkpoint of the tests with two layers of 2048 channels. */
async function wideCheckpoint(): Promise<CheckpointFolder> {
  const [hidden, ffn, heads, vocab] = [2048, 5632, 16, 352];
  const tensors = tinyTensors();
  for (const [name, { shape }] of tensors) {
    const wide = (n: number, i: number): number => {
      if (!/^(language_model|multi_modal_projector)/.test(name) || (name.includes("linear_1.weight") && i === 1))
        return n;
      return n !== 80 ? hidden : name.includes(".mlp.") ? ffn : vocab;
    };
    const scaled = shape.map(wide);
    const values = new Float32Array(scaled.reduce((product, n) => product * n, 1));
    for (let i = 0; i < values.length; i++) values[i] = ((i * 2654435761) % 1000) / 25000 - 0.02;
    tensors.set(name, { shape: scaled, values });
  }
  const config = tinyConfig();
  const text = {
    hidden_size: hidden,
    vocab_size: vocab,
    intermediate_size: ffn,
    num_attention_heads: heads,
    num_key_value_heads: heads,
  };
  const files = tinyFiles(tensors, {
    ...config,
    text_config: { ...config.text_config, ...text, head_dim: hidden / heads },
  });
  const tiny = checkpointFolder("training/fixtures/tiny-llava");
  const tokenizer = await tiny.open("tokenizer.json");
  if (tokenizer) files.set("tokenizer.json", await tokenizer.read(0, tokenizer.bytes));
  return memoryCheckpoint("wide", files);
}
const from = path === "wide" ? await wideCheckpoint() : checkpointFolder(path);
const to = memoryPackage();
const info = await convert(from, to, { bits: { vision: 8, embed: 4, decoder: 4 }, adaptable: true });
const bytesOf = (file: string): number => info.files.find((entry) => entry.path === file)?.bytes ?? 0;
const { decoder } = info.graphs;
console.log(
  `${basename(path)}: plain graph ${bytesOf(decoder.path)} B, with room ${bytesOf(decoder.adaptable?.path ?? "")} B`,
);

const adapterOf = async (rank: number) => {
  const { folder } = await randomAdapter(from, { rank, name: `rank ${rank}` });
  const out = memoryPackage();
  const made = await convertAdapter(folder, memoryCheckpoint("base", to.written), out);
  console.log(`rank ${rank}: ${(made.files.reduce((sum, file) => sum + file.bytes, 0) / 1e6).toFixed(2)} MB`);
  return { info: made, files: out.files };
};
const adapters = [await adapterOf(16), await adapterOf(128)];

const steps = 40;
async function tokensPerSecond(model: Model): Promise<number> {
  const cache = model.decoder.createCache(1024);
  const decode = async (ids: readonly number[]): Promise<void> => {
    const embeds = await model.embed(ids);
    await decodeLast(model.decoder, embeds, ids, cache);
    embeds.dispose();
  };
  await decode(Array.from({ length: 32 }, (_, i) => i + 5));
  const began = performance.now();
  for (let i = 0; i < steps; i++) await decode([7]);
  const seconds = (performance.now() - began) / 1000;
  cache.dispose();
  return steps / seconds;
}

const runtimes: readonly (readonly [string, Runtime])[] = [
  ["Node", createNodeRuntime()],
  [
    "WASM",
    await createWasmRuntime({ runtimeUrl: new URL("../node_modules/onnxruntime-web/dist/", import.meta.url).href }),
  ],
];
for (const [name, runtime] of runtimes) {
  const load = (adaptable: boolean) => loadModel({ runtime, files: to.files, info, memoryBudget: 2 ** 30, adaptable });
  const plain = await load(false);
  const roomy = await load(true);
  const rows = new Map<string, number[]>();
  const take = async (row: string, model: Model): Promise<void> => {
    rows.set(row, [...(rows.get(row) ?? []), await tokensPerSecond(model)]);
  };
  for (let round = 0; round < Number(rounds); round++) {
    await take("plain", plain);
    await roomy.adapt(undefined);
    await take("with room, no adapter", roomy);
    for (const adapter of adapters) {
      await roomy.adapt(adapter);
      await take(adapter.info.model.name, roomy);
    }
  }
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;
  const best = median(rows.get("plain") ?? []);
  for (const [row, values] of rows) {
    const value = median(values);
    console.log(`${name}: ${row}: ${value.toFixed(1)} tokens/s, ${(value / best).toFixed(3)} of plain`);
  }
  await plain.dispose();
  await roomy.dispose();
  await runtime.dispose();
}
