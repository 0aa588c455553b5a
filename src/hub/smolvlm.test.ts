// The classes of SmolVLM (idefics3) on a tiny random model with the files, names and shapes that its export has: a picture is cut into
// tiles, each of which takes its own rows in the prompt.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as v from "valibot";
import { convert } from "#convert/convert.ts";
import { randomNumbers } from "#testing/fixtures.ts";
import { checkpointFolder, packageFolder } from "#convert/package/folder.node.ts";
import { GraphBuilder } from "#convert/onnx/graph.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import type { GenerateEvent, Message } from "#engine/types.ts";
import { manifestVersion } from "#weights/manifest.ts";
import type { InferenceHost } from "#worker/inference/host.ts";
import { createHubHost } from "./host.ts";
import { chooseProcessor, placeInFolder } from "./place.node.ts";

const side = 32; // of a tile, in pixels
const rows = 5; // of features, per tile
const checkpoint = "training/fixtures/tiny-llava";

/** pixel_values f32 [1, tiles, 3, side, side] → image_features [tiles, rows, hidden]: each tile's mean colour through a random matrix. */
function visionEncoder(hidden: number): Uint8Array<ArrayBuffer> {
  const graph = new GraphBuilder("vision_encoder");
  const pixels = graph.input("pixel_values", "float32", ["batch_size", "num_images", 3, side, side]);
  const mean = graph.node("mean", "ReduceMean", [pixels, graph.int64("axes", [3, 4])], { keepdims: { int: 0 } });
  const flat = graph.node("flat", "Reshape", [mean, graph.int64("flat.shape", [-1, 3])]);
  const random = randomNumbers(11);
  const matrix = Float32Array.from({ length: 3 * rows * hidden }, () => random() - 0.5);
  const wide = graph.node("wide", "MatMul", [flat, graph.float32("matrix", matrix, [3, rows * hidden])]);
  graph.nodeTo(["image_features"], "out", "Reshape", [wide, graph.int64("out.shape", [-1, rows, hidden])]);
  graph.output("image_features", "float32", ["num_images", rows, hidden]);
  return graph.encode(new Map());
}

const template =
  "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

let root = "";
let api: InferenceHost;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "llava-smolvlm-"));
  const converted = join(root, "converted");
  const manifest = await convert(checkpointFolder(checkpoint), await packageFolder(converted, { force: true }), {
    bits: { vision: 32, embed: 32, decoder: 32 },
  });
  const read = async (path: string): Promise<string> => await readFile(join(converted, path), "utf8");
  const object = v.looseObject({});
  const config = v.parse(
    v.looseObject({ text_config: v.looseObject({ hidden_size: v.number() }) }),
    JSON.parse(await read("config.json")),
  );
  const imageProcessor = {
    image_processor_type: "Idefics3ImageProcessor",
    processor_class: "Idefics3Processor",
    do_convert_rgb: true,
    do_image_splitting: true,
    do_normalize: true,
    do_pad: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
    max_image_size: { longest_edge: side },
    resample: 1,
    rescale_factor: 1 / 255,
    size: { longest_edge: 2 * side },
  };
  const replaced = new Map<string, unknown>([
    [
      "config.json",
      {
        ...config,
        model_type: "idefics3",
        architectures: ["Idefics3ForConditionalGeneration"],
        image_token_id: 4,
        image_token_index: undefined,
      },
    ],
    ["preprocessor_config.json", imageProcessor],
    ["processor_config.json", { processor_class: "Idefics3Processor", image_seq_len: rows }],
    [
      "tokenizer_config.json",
      { ...v.parse(object, JSON.parse(await read("tokenizer_config.json"))), chat_template: undefined },
    ],
  ]);
  const files = new Map<string, Blob>();
  for (const { path } of manifest.files) files.set(path, new Blob([await readFile(join(converted, path))]));
  for (const [path, json] of replaced) files.set(path, new Blob([JSON.stringify(json)]));
  files.delete("onnx/vision_encoder.onnx_data");
  files.set("onnx/vision_encoder.onnx", new Blob([visionEncoder(config.text_config.hidden_size)]));
  files.set("chat_template.jinja", new Blob([template]));
  files.set("chat_template.json", new Blob([JSON.stringify({ chat_template: template })]));

  api = createHubHost({
    chooseDevice: chooseProcessor,
    place: placeInFolder(join(root, "someone/smolvlm")),
    decodeImage,
  });
  const model = {
    id: "someone/smolvlm",
    name: "smolvlm",
    license: "apache-2.0",
    architecture: "transformers.js",
    modelType: "idefics3",
    repository: "someone/smolvlm",
    revision: "main",
    dtypes: { vision_encoder: "fp32", embed_tokens: "fp32", decoder_model_merged: "fp32" },
  };
  await api.load(
    {
      model: { id: model.id, baseUrl: "" },
      package: { persisted: true, files, manifest: { version: manifestVersion, model, files: [] } },
      device: "auto",
      runtimeUrl: "",
    },
    () => undefined,
  );
});
afterAll(async () => {
  await api.unload();
  await rm(root, { recursive: true });
});

async function picture(width: number, height: number, background: string): Promise<Blob> {
  const made = await sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
  return new Blob([new Uint8Array(made)]);
}
const user = (text: string, ...pictures: Blob[]): Message => ({
  role: "user",
  parts: [...pictures.map((blob) => ({ type: "image" as const, blob })), { type: "text", text }],
});
async function run(
  messages: readonly Message[],
): Promise<{ text: string; done: Extract<GenerateEvent, { type: "done" }> }> {
  const events: GenerateEvent[] = [];
  const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
  await api.generate({ messages, sampling, maxNewTokens: 8, stop: [] }, (event) => void events.push(event));
  const done = events.at(-1);
  if (done?.type !== "done") throw new Error("no end");
  return { done, text: events.map((event) => (event.type === "text" ? event.text : "")).join("") };
}

test("a square picture is cut into four tiles and shown whole once more", async () => {
  const { done } = await run([user("What?", await picture(100, 100, "#c33"))]);
  expect(done.usage.imageTokens).toBe(5 * rows);
  expect(done.usage.newTokens).toBeGreaterThan(0);
});

test("pictures of several shapes in several turns each take what they need", async () => {
  const wide = await picture(200, 90, "#3c3");
  const square = await picture(64, 64, "#33c");
  const one = await run([user("What?", wide)]);
  const both = await run([
    user("What?", wide),
    { role: "assistant", parts: [{ type: "text", text: "A." }] },
    user("And?", square),
  ]);
  expect(both.done.usage.imageTokens).toBe(one.done.usage.imageTokens + 5 * rows);
});

test("without a picture it is asked all the same", async () => {
  expect((await run([user("Hello")])).done.usage.imageTokens).toBe(0);
});
