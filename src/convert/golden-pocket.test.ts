// Pocket LLaVA's fp32 package against the PyTorch reference: 20 prompts about held-out pictures, 64 greedy ids each.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as node from "onnxruntime-node";
import * as web from "onnxruntime-web/wasm";
import * as v from "valibot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { preprocess } from "#engine/picture/image.ts";
import type { Manifest } from "#weights/manifest.ts";
import { convert } from "./convert.ts";
import { memoryPackage, type MemoryPackage } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { GoldenPrompt, runGolden, tolerance } from "#testing/golden.ts";
import { runGraphs, type GraphRunner, type Ort } from "#testing/graph-runner.ts";

web.env.wasm.numThreads = 1;

const training = fileURLToPath(new URL("../../training/", import.meta.url));
const Golden = v.object({ prompts: v.array(v.object({ ...GoldenPrompt.entries, image: v.string() })) });
const triple = v.tuple([v.number(), v.number(), v.number()]);
const Config = v.object({
  image_token_index: v.number(),
  text_config: v.object({ num_hidden_layers: v.number(), num_key_value_heads: v.number(), head_dim: v.number() }),
});
const Preprocessor = v.object({ image_mean: triple, image_std: triple, crop_size: v.object({ height: v.number() }) });

let golden: v.InferOutput<typeof Golden>;
let config: v.InferOutput<typeof Config>;
let processor: v.InferOutput<typeof Preprocessor>;
let manifest: Manifest;
let to: MemoryPackage;
let runner: GraphRunner;

const load = (ort: Ort) => {
  const { num_hidden_layers: layers, num_key_value_heads: kvHeads, head_dim: headSize } = config.text_config;
  return runGraphs(ort, manifest, to.files, { layers, kvHeads, headSize });
};

beforeAll(async () => {
  const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(training + path, "utf8"));
  golden = v.parse(Golden, await json("fixtures/pocket.golden.json"));
  config = v.parse(Config, await json("checkpoint/config.json"));
  processor = v.parse(Preprocessor, await json("checkpoint/preprocessor_config.json"));
  to = memoryPackage();
  manifest = await convert(checkpointFolder(`${training}checkpoint`), to, {
    bits: { vision: 32, embed: 32, decoder: 32 },
  });
  runner = await load(node);
}, 60_000);
afterAll(() => runner.release());

async function checkPrompt(graphs: GraphRunner, prompt: (typeof golden)["prompts"][number]): Promise<void> {
  const size = processor.crop_size.height;
  const picture = await decodeImage(new Blob([await readFile(`${training}heldout/pictures/${prompt.image}`)]));
  const pixels = preprocess(picture, "pad", { size, mean: processor.image_mean, std: processor.image_std });
  const image = { token: config.image_token_index, tokens: manifest.model.imageTokens };
  const { worst, greedy } = await runGolden(graphs, prompt, { pixels, size }, image);
  expect(worst).toBeLessThan(tolerance);
  expect(greedy).toEqual(prompt.greedy);
}

test("logits and 64 greedy ids agree with PyTorch on 20 prompts", { timeout: 180_000 }, async () => {
  expect(golden.prompts).toHaveLength(20);
  for (const prompt of golden.prompts) {
    expect(prompt.greedy).toHaveLength(64);
    await checkPrompt(runner, prompt);
  }
});

test("on WASM a prompt agrees with PyTorch, too", { timeout: 60_000 }, async () => {
  const wasm = await load(web);
  const [first] = golden.prompts;
  if (!first) throw new Error("no prompt");
  await checkPrompt(wasm, first);
  await wasm.release();
});
