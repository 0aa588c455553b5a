import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { convert } from "#convert/convert.ts";
import {
  encodeSafetensors,
  memoryCheckpoint,
  memoryPackage,
  tinyConfig,
  tinyFiles,
  tinyTensors,
  type TensorData,
} from "#testing/fixtures.ts";
import { translateConfig } from "./original-config.ts";
import { huggingFaceName } from "./original-layout.ts";

type Files = Map<string, Uint8Array | string>;
const bits = { vision: 8, embed: 8, decoder: 4 } as const;

/** What LLaVA's own repository calls a tensor that Hugging Face calls so. */
function originalName(name: string): string {
  return name
    .replace(/^language_model\.model\./, "model.")
    .replace(/^language_model\./, "")
    .replace(/^vision_tower\./, "model.vision_tower.vision_tower.")
    .replace(/^multi_modal_projector\.linear_1\./, "model.mm_projector.0.")
    .replace(/^multi_modal_projector\.linear_2\./, "model.mm_projector.2.");
}

const hugging = tinyTensors("llava-hf");
const all = new Map([...hugging].map(([name, tensor]): [string, TensorData] => [originalName(name), tensor]));
const isTower = (name: string) => name.startsWith("model.vision_tower.");
const withoutTower = new Map([...all].filter(([name]) => !isTower(name)));
const towerAlone = new Map(
  [...all]
    .filter(([name]) => isTower(name))
    .map(([name, tensor]) => [name.slice("model.vision_tower.vision_tower.".length), tensor]),
);

function originalConfig(): Record<string, unknown> {
  return {
    ...tinyConfig().text_config,
    model_type: "llava_llama",
    architectures: ["LlavaLlamaForCausalLM"],
    mm_vision_tower: "somewhere/tiny-clip",
    mm_projector_type: "mlp2x_gelu",
    mm_vision_select_layer: -2,
    mm_vision_select_feature: "patch",
    mm_hidden_size: 64,
    image_aspect_ratio: "pad",
  };
}

function original(tensors: ReadonlyMap<string, TensorData>, config: unknown = originalConfig()): Files {
  return tinyFiles(tensors, config);
}
const visionFolder = (
  config: unknown = tinyConfig().vision_config,
  tensors: ReadonlyMap<string, TensorData> = towerAlone,
) =>
  memoryCheckpoint(
    "tiny-clip",
    new Map<string, Uint8Array | string>([
      ["config.json", JSON.stringify(config)],
      ["model.safetensors", encodeSafetensors(tensors)],
    ]),
  );

async function packageOf(files: Files, vision = visionFolder()) {
  const to = memoryPackage();
  await convert(memoryCheckpoint("tiny-llava", files), to, { bits, more: { vision } });
  return to.written;
}
/** Path and hash of every graph and weights file. */
const weightsOf = (written: ReadonlyMap<string, Uint8Array>) =>
  [...written]
    .filter(([path]) => path.startsWith("onnx/"))
    .map(([path, bytes]) => `${path} ${createHash("sha256").update(bytes).digest("hex")}`);

describe("a checkpoint gives the same graphs and weights, byte by byte", async () => {
  const reference = weightsOf(await packageOf(tinyFiles(hugging)));

  test.each<[string, () => Promise<ReadonlyMap<string, Uint8Array>>]>([
    ["under Hugging Face's newer names", () => packageOf(tinyFiles(tinyTensors("transformers")))],
    ["in the original layout with its tower", () => packageOf(original(all))],
    ["in the original layout with the tower from a second folder", () => packageOf(original(withoutTower))],
    [
      "with the tower inside a model of pictures and texts",
      () =>
        packageOf(
          original(withoutTower),
          visionFolder({ model_type: "clip", vision_config: { ...tinyConfig().vision_config, model_type: undefined } }),
        ),
    ],
  ])("%s", async (_what, make) => {
    expect(weightsOf(await make())).toEqual(reference);
  });
});

test("a tower of the checkpoint's own is not replaced by one from a second folder", async () => {
  const other = new Map(
    [...towerAlone].map(([name, { shape, values }]) => [name, { shape, values: values.map((x) => x + 1) }]),
  );
  const own = weightsOf(await packageOf(original(all)));
  expect(weightsOf(await packageOf(original(all), visionFolder(undefined, other)))).toEqual(own);
  expect(weightsOf(await packageOf(original(withoutTower), visionFolder(undefined, other)))).not.toEqual(own);
});

test("the package's small files are in Hugging Face's form, and its tokenizer knows <image>", async () => {
  const written = await packageOf(original(withoutTower));
  const json = (path: string): unknown => JSON.parse(new TextDecoder().decode(written.get(path)));
  expect(json("config.json")).toMatchObject({
    model_type: "llava",
    image_token_index: 80,
    vision_feature_layer: -2,
    vision_feature_select_strategy: "default",
    text_config: { model_type: "llama", hidden_size: 64, vocab_size: 80 },
    vision_config: { image_size: 32 },
  });
  expect(json("tokenizer.json")).toMatchObject({ added_tokens: [{ id: 80, content: "<image>", special: true }] });
  expect(json("manifest.json")).toMatchObject({ model: { imageAspect: "pad", imageTokens: 4 } });
});

describe("the config of a published checkpoint is translated", () => {
  const base = {
    vocab_size: 32000,
    hidden_size: 4096,
    mm_vision_select_layer: -2,
    mm_vision_tower: "openai/clip-vit-large-patch14-336",
  };
  test.each([
    [
      "1.5",
      { model_type: "llava", mm_projector_type: "mlp2x_gelu", image_aspect_ratio: "pad" },
      {
        model_type: "llava",
        image_aspect_ratio: "pad",
        vision_config: { image_size: 336 },
        image_token_index: 32000,
        mm_projector_type: "mlp2x_gelu",
      },
    ],
    [
      "1.6 on Mistral, whose grids say width first",
      {
        model_type: "llava_mistral",
        mm_projector_type: "mlp2x_gelu",
        image_aspect_ratio: "anyres",
        mm_patch_merge_type: "spatial_unpad",
        image_grid_pinpoints: [
          [336, 672],
          [1008, 336],
        ],
      },
      {
        model_type: "llava_next",
        text_config: { model_type: "mistral" },
        image_grid_pinpoints: [
          [672, 336],
          [336, 1008],
        ],
        image_aspect_ratio: "anyres",
      },
    ],
    [
      "OneVision",
      {
        model_type: "llava_qwen",
        mm_vision_tower: "google/siglip-so400m-patch14-384",
        mm_projector_type: "mlp2x_gelu",
        image_aspect_ratio: "anyres_max_9",
        image_grid_pinpoints: [[384, 384]],
      },
      {
        model_type: "llava_onevision",
        text_config: { model_type: "qwen2" },
        vision_config: { num_hidden_layers: 27 },
        vision_feature_layer: -2,
        vision_feature_select_strategy: "full",
      },
    ],
    [
      "v0, with a linear projector and tokens around the picture",
      {
        model_type: "llama",
        vocab_size: 32003,
        mm_vision_tower: "openai/clip-vit-large-patch14",
        mm_use_im_start_end: true,
      },
      {
        mm_projector_type: "linear",
        image_token_index: 32003,
        vision_config: { image_size: 224 },
        mm_use_im_start_end: true,
        image_aspect_ratio: "crop",
      },
    ],
  ])("%s", (_what, config, expected) => {
    expect(translateConfig({ ...base, ...config }, undefined)).toMatchObject(expected);
  });
});

test("projectors of one and of two layers have Hugging Face's names", () => {
  expect(huggingFaceName("model.mm_projector.bias")).toBe("multi_modal_projector.linear_1.bias");
  expect(huggingFaceName("model.mm_projector.2.weight")).toBe("multi_modal_projector.linear_2.weight");
  expect(huggingFaceName("model.image_newline")).toBe("image_newline");
});

test("the decoder's names of three versions of transformers, and those it writes under ZeRO-3, are one", () => {
  for (const prefix of [
    "language_model.model.",
    "model.language_model.",
    "model.language_model.model.",
    "language_model.model.model.",
  ])
    expect(huggingFaceName(`${prefix}layers.0.mlp.up_proj.weight`)).toBe(
      "language_model.model.layers.0.mlp.up_proj.weight",
    );
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  [
    "no tower",
    () => convert(memoryCheckpoint("x", original(withoutTower)), memoryPackage(), { bits }),
    /no vision tower of its own; name the folder of somewhere\/tiny-clip with --vision/,
  ],
  [
    "an unknown tower without its config",
    () => convert(memoryCheckpoint("x", original(all)), memoryPackage(), { bits }),
    /vision tower is "somewhere\/tiny-clip", and its config\.json is not here/,
  ],
  [
    "MPT",
    () => packageOf(original(all, { ...originalConfig(), model_type: "llava_mpt" })),
    /LLaVA on MPT is not supported; .*Llama.*is$/,
  ],
  ["S²", () => packageOf(original(all, { ...originalConfig(), s2: true })), /S² tower/],
  [
    "another projector",
    () => packageOf(original(all, { ...originalConfig(), mm_projector_type: "mlp3x_gelu" })),
    /known are linear, mlp2x_gelu/,
  ],
  [
    "no layer",
    () => packageOf(original(all, { ...originalConfig(), mm_vision_select_layer: undefined })),
    /no mm_vision_select_layer/,
  ],
  [
    "a vocabulary of another size",
    () => packageOf(original(all, { ...originalConfig(), vocab_size: 83 })),
    /embed_tokens\.weight has shape \[80, 64\]; config\.json asks for \[83, 64\]/,
  ],
  [
    "a tokenizer of another model",
    () =>
      packageOf(
        original(all).set(
          "tokenizer.json",
          JSON.stringify({ added_tokens: [], model: { type: "BPE", vocab: { a: 0, b: 99 } } }),
        ),
      ),
    /tokens up to number 99, and config\.json says 80/,
  ],
  [
    "a tower of another width",
    () => packageOf(original(withoutTower), visionFolder({ ...tinyConfig().vision_config, hidden_size: 32 })),
    /class_embedding has shape \[64\]|patch_embedding.weight has shape \[64, /,
  ],
])("an original checkpoint with %s is refused with a sentence", async (_what, run, message) => {
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EngineError);
  expect(error).toMatchObject({ code: "bad-checkpoint", message: expect.stringMatching(message) as unknown });
});

describe("LLaVA under other names", () => {
  /** The bytes of the weights, which must be those of the same model in Hugging Face's layout. */
  const made = async (files: Files, name: string, vision?: CheckpointFolder) => {
    const to = memoryPackage();
    const notes: string[] = [];
    const manifest = await convert(memoryCheckpoint(name, files), to, {
      bits,
      onNote: (note) => notes.push(note),
      ...(vision ? { more: { vision } } : {}),
    });
    const weights = [...to.written].filter(([path]) => path.endsWith("_data"));
    return { model: manifest.model, notes, weights: new Map(weights.map(([path, bytes]) => [path, hashOf(bytes)])) };
  };
  const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  const reference = () => made(tinyFiles(hugging), "tiny");

  test("ShareGPT4V", async () => {
    const files = original(all, { ...originalConfig(), model_type: "share4v" });
    const { weights, model } = await made(files, "ShareGPT4V-7B", visionFolder());
    expect(weights).toEqual((await reference()).weights);
    expect(model.template).toBe("vicuna_v1");
  });

  test("TinyLLaVA on TinyLlama, as it was first published and as its factory writes it", async () => {
    const first = original(all, { ...originalConfig(), model_type: "tiny_llava_llama" });
    expect((await made(first, "TinyLLaVA-1.5B", visionFolder())).weights).toEqual((await reference()).weights);

    const factoryName = (name: string) =>
      name
        .replace(/^vision_tower\./, "vision_tower._vision_tower.")
        .replace(/^multi_modal_projector\.linear_1\./, "connector._connector.0.")
        .replace(/^multi_modal_projector\.linear_2\./, "connector._connector.2.");
    const tensors = new Map([...hugging].map(([name, tensor]) => [factoryName(name), tensor]));
    const { text_config, vision_config } = tinyConfig();
    const config = {
      model_type: "tinyllava",
      text_config,
      vision_config,
      connector_type: "mlp2x_gelu",
      vision_model_name_or_path: "openai/clip-vit-large-patch14-336",
      vision_feature_layer: -2,
      vision_feature_select_strategy: "patch",
      image_token_index: -200,
    };
    const { weights, model } = await made(tinyFiles(tensors, config), "TinyLLaVA-2.0B");
    expect(weights).toEqual((await reference()).weights);
    expect(model).toMatchObject({ template: "vicuna_v1", imageAspect: "crop" });
    const siglip = { ...config, vision_config: { ...vision_config, model_type: "siglip_vision_model" } };
    await expect(made(tinyFiles(tensors, siglip), "TinyLLaVA-2.0B")).rejects.toThrow(/"patch" over SigLIP/);
  });

  test("Bunny on Llama 3, whose prompts are Vicuna's with Llama 3's end", async () => {
    const fixed = Object.fromEntries(
      Object.entries(originalConfig()).filter(([key]) => key !== "mm_vision_select_layer"),
    );
    const files = original(all, { ...fixed, model_type: "bunny-llama" });
    const { weights, model, notes } = await made(files, "checkpoint-900", visionFolder());
    expect(weights).toEqual((await reference()).weights);
    expect(model.template).toBe("bunny_llama_3");
    expect(notes).toEqual(["template: bunny_llama_3, which the name bunny-llama stands for"]);
    const scaled = original(all, { ...fixed, model_type: "bunny-llama", use_s2: true });
    await expect(made(scaled, "Bunny-v1_1-Llama-3-8B-V", visionFolder())).rejects.toThrow(/S² tower/);
  });
});
