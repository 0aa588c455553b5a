// Packages of decoders that are no plain Llama also run in transformers.js, whose answers are PyTorch's: greedy ids of the golden numbers.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { env, LlavaForConditionalGeneration, Tensor } from "@huggingface/transformers";
import * as v from "valibot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convert } from "#convert/convert.ts";
import { preprocess } from "#engine/picture/image.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { formulaPixels } from "#testing/formula-picture.ts";

const families = fileURLToPath(new URL("../../../training/fixtures/families/", import.meta.url));
const numbers = v.array(v.number());
const Prompt = v.object({
  pictures: v.tuple([v.tuple([v.number(), v.number()])]),
  ids: numbers,
  rows: v.tuple([v.number()]),
  greedy: numbers,
});
const Golden = v.object({ prompts: v.array(v.unknown()) });
const Config = v.object({ image_token_index: v.number(), vision_config: v.object({ image_size: v.number() }) });
const Preprocessor = v.object({
  image_mean: v.tuple([v.number(), v.number(), v.number()]),
  image_std: v.tuple([v.number(), v.number(), v.number()]),
});

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "llava-tfjs-families-"));
  env.localModelPath = dirname(root);
  env.allowRemoteModels = false;
});
afterAll(() => rm(root, { recursive: true }));

test.each([
  "bakllava",
  "llava-gemma",
  "llava-gemma-2",
  "llava-phi-3",
  "llava-phi-3-128k",
  "llava-qwen3",
  "llava-several-layers",
  "vip-llava",
])("%s", async (family) => {
  const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(families + path, "utf8"));
  const prompt = v.parse(Prompt, v.parse(Golden, await json(`${family}.golden.json`)).prompts[0]);
  const config = v.parse(Config, await json(`${family}/config.json`));
  const { image_mean: mean, image_std: std } = v.parse(Preprocessor, await json(`${family}/preprocessor_config.json`));
  const folder = join(root, family);
  await convert(checkpointFolder(families + family), await packageFolder(folder, { force: true }), {
    bits: { vision: 32, embed: 32, decoder: 32 },
    template: "vicuna_v1",
  });

  const size = config.vision_config.image_size;
  const pixels = preprocess(formulaPixels(...prompt.pictures[0]), "pad", { size, mean, std });
  const image = config.image_token_index;
  const ids = prompt.ids.flatMap((id) => (id === image ? Array.from({ length: prompt.rows[0] }, () => id) : [id]));
  const model = await LlavaForConditionalGeneration.from_pretrained(`${basename(root)}/${family}`, { device: "cpu" });
  const output: unknown = await model.generate({
    input_ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
    attention_mask: new Tensor("int64", new BigInt64Array(ids.length).fill(1n), [1, ids.length]),
    pixel_values: new Tensor("float32", pixels, [1, 3, size, size]),
    max_new_tokens: prompt.greedy.length,
    min_new_tokens: prompt.greedy.length,
    do_sample: false,
  });
  await model.dispose();
  if (!(output instanceof Tensor)) throw new Error("no ids came back");
  expect(Array.from(output.data, Number).slice(ids.length)).toEqual(prompt.greedy);
});
