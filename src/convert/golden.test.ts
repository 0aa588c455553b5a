// The fp32 package of a tiny random checkpoint against the PyTorch reference, on the same pictures and prompts.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as node from "onnxruntime-node";
import * as web from "onnxruntime-web/wasm";
import * as v from "valibot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { preprocess } from "#engine/picture/image.ts";
import type { Manifest } from "#weights/manifest.ts";
import { convert } from "./convert.ts";
import { memoryPackage, type MemoryPackage } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { formulaPixels } from "#testing/formula-picture.ts";
import { GoldenPrompt, runGolden, tolerance } from "#testing/golden.ts";
import { largestDifference, runGraphs, type GraphRunner, type Ort } from "#testing/graph-runner.ts";

web.env.wasm.numThreads = 1;

const fixtures = fileURLToPath(new URL("../../training/fixtures/", import.meta.url));
const Golden = v.object({
  features: v.array(v.number()),
  prompts: v.array(v.object({ ...GoldenPrompt.entries, width: v.number(), height: v.number() })),
});
const Config = v.object({
  image_token_index: v.number(),
  text_config: v.object({ num_hidden_layers: v.number(), num_key_value_heads: v.number(), head_dim: v.number() }),
  vision_config: v.object({ image_size: v.number() }),
});
const clip = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

let golden: v.InferOutput<typeof Golden>;
let config: v.InferOutput<typeof Config>;
let manifest: Manifest;
let to: MemoryPackage;
let runner: GraphRunner;

const load = (ort: Ort) => {
  const { num_hidden_layers: layers, num_key_value_heads: kvHeads, head_dim: headSize } = config.text_config;
  return runGraphs(ort, manifest, to.files, { layers, kvHeads, headSize });
};

beforeAll(async () => {
  const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(fixtures + path, "utf8"));
  golden = v.parse(Golden, await json("tiny-llava.golden.json"));
  config = v.parse(Config, await json("tiny-llava/config.json"));
  to = memoryPackage();
  manifest = await convert(checkpointFolder(`${fixtures}tiny-llava`), to, {
    bits: { vision: 32, embed: 32, decoder: 32 },
  });
  runner = await load(node);
});
afterAll(() => runner.release());

async function checkPrompt(graphs: GraphRunner, prompt: (typeof golden)["prompts"][number]): Promise<void> {
  const size = config.vision_config.image_size;
  const pixels = preprocess(formulaPixels(prompt.width, prompt.height), "pad", { size, ...clip });
  const image = { token: config.image_token_index, tokens: manifest.model.imageTokens };
  const { worst, greedy } = await runGolden(graphs, prompt, { pixels, size }, image);
  expect(worst).toBeLessThan(tolerance);
  expect(greedy).toEqual(prompt.greedy);
}

test("image features agree with PyTorch", async () => {
  const size = config.vision_config.image_size;
  const pixels = preprocess(formulaPixels(size, size), "pad", { size, ...clip });
  expect(largestDifference(await runner.features(pixels, size), golden.features)).toBeLessThan(tolerance);
});

test("logits and greedy ids agree with PyTorch on every prompt", async () => {
  expect(golden.prompts.length).toBeGreaterThan(2);
  for (const prompt of golden.prompts) await checkPrompt(runner, prompt);
});

test("on WASM a prompt agrees with PyTorch, too", async () => {
  const wasm = await load(web);
  const [first] = golden.prompts;
  if (!first) throw new Error("no prompt");
  await checkPrompt(wasm, first);
  await wasm.release();
});
