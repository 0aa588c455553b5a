// Writes the small files of a package from the checkpoint's: what transformers.js and our engine read beside the graphs.
// Passes on what it does not know; adds only what is missing.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { readText, type CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { readObject } from "#convert/checkpoint/json-file.ts";
import type { Conversation } from "#convert/text/choose-template.ts";
import type { LlavaConfig } from "#convert/config/config.ts";
import { squaresPreprocessing } from "./picture-squares.ts";

type Json = Readonly<Record<string, unknown>>;
const JsonObject = v.record(v.string(), v.unknown());

/** One graph, as transformers.js finds it through config.json. */
export interface GraphNote {
  /** Name without suffix, "decoder_model_merged". */
  readonly base: string;
  /** Name with suffix and extension, "decoder_model_merged_q4.onnx". */
  readonly file: string;
  readonly dtype: "fp32" | "fp16" | "q8" | "q4";
  readonly dataFiles: number;
}

/**
 * How pictures are made square: as the checkpoint says, else LLaVA-1.5's way, or SigLIP's own where a checkpoint of it says
 * nothing. Of pictures in tiles it is those that get no tiles.
 */
export async function imageAspectOf(folder: CheckpointFolder, config: LlavaConfig): Promise<"pad" | "crop" | "resize"> {
  if (config.imageAspect) return config.imageAspect;
  const aspect = (await imageProcessor(folder))?.["image_aspect_ratio"];
  if (aspect === "crop" || aspect === "resize" || aspect === "pad") return aspect;
  return config.vision.kind === "siglip" && !config.tiles ? "resize" : "pad";
}

/** Path and content of every small file of the package. */
export async function packageConfigFiles(
  folder: CheckpointFolder,
  config: LlavaConfig,
  graphs: readonly GraphNote[],
  conversation: Conversation,
): Promise<Map<string, string>> {
  const out = new Map<string, string>();
  const rawConfig = (await readObject(folder, "config.json")) ?? {};
  out.set("config.json", toText(withGraphNotes(rawConfig, config, graphs)));

  const tokenizer = await readText(folder, "tokenizer.json");
  if (tokenizer === undefined) {
    throw badCheckpoint("the checkpoint has no tokenizer.json; save its tokenizer as a fast one first");
  }
  out.set("tokenizer.json", tokenizer);
  const settings = Object.entries((await readObject(folder, "tokenizer_config.json")) ?? {});
  const tokenizerConfig = Object.fromEntries(settings.filter(([key]) => key !== "chat_template"));
  const chatTemplate = conversation.own?.source;
  // Readers differ in where they look first, so every place has the same template.
  const withTemplate = chatTemplate === undefined ? {} : { chat_template: chatTemplate };
  out.set("tokenizer_config.json", toText({ ...tokenizerConfig, ...withTemplate }));
  if (chatTemplate !== undefined) out.set("chat_template.jinja", chatTemplate);

  const generation = await generationConfig(folder, rawConfig, conversation.ends);
  if (generation) out.set("generation_config.json", toText(generation));

  const given = await imageProcessor(folder);
  const preprocessor = await preprocessorConfig(folder, config, given ?? {});
  out.set("preprocessor_config.json", toText(preprocessor));

  const processor = Object.entries((await readObject(folder, "processor_config.json")) ?? {});
  const flat = Object.fromEntries(processor.filter(([key]) => key !== "image_processor" && key !== "chat_template"));
  out.set("processor_config.json", toText(processorConfig(config, flat)));
  const card = (await readText(folder, "README.md")) ?? (await readText(folder, "MODEL_CARD.md"));
  if (card !== undefined) out.set("README.md", card);
  return out;
}

/** What the package's preprocessor_config.json says; `given` is the checkpoint's. */
async function preprocessorConfig(folder: CheckpointFolder, config: LlavaConfig, given: Json): Promise<Json> {
  if (config.squares === true) return { ...squaresPreprocessing(config), ...given };
  const size = config.vision.imageSize;
  const stock = config.vision.kind === "siglip" ? siglipPreprocessing(size) : clipPreprocessing(size);
  return { ...stock, ...given, image_aspect_ratio: config.tiles ? "anyres" : await imageAspectOf(folder, config) };
}

function processorConfig(config: LlavaConfig, given: Json): Json {
  if (config.squares === true) {
    return { processor_class: "Idefics3Processor", ...given, image_seq_len: config.imageTokens };
  }
  const patches = Math.floor(config.vision.imageSize / config.vision.patchSize);
  return {
    processor_class: "LlavaProcessor",
    image_token: "<image>",
    vision_feature_select_strategy: config.vision.keepClass || config.vision.kind === "siglip" ? "full" : "default",
    ...given,
    // transformers.js counts a picture's tokens as whole patches in its pixels and these, and, unlike Python, does not take the dropped class
    // token off again. A mixture's pictures come in at its classifier's size and have as many patches as its transformer sees.
    patch_size: config.mixture ? Math.floor(config.mixture.imageSize / patches) : config.vision.patchSize,
    num_additional_image_tokens: (config.vision.keepClass ? 1 : 0) + (config.mixture?.classTokens ?? 0),
  };
}

function withGraphNotes(raw: Json, config: LlavaConfig, graphs: readonly GraphNote[]): Json {
  const { text, vision } = config;
  // Checkpoints leave out what equals Hugging Face's defaults; other readers don't know those.
  const textDefaults = {
    model_type: text.type,
    hidden_size: text.hidden,
    intermediate_size: text.ffn,
    num_hidden_layers: text.layers,
    num_attention_heads: text.heads,
    max_position_embeddings: text.context,
    vocab_size: text.vocab,
  };
  return {
    ...raw,
    ...withPlainClass(config),
    text_config: {
      ...textDefaults,
      ...objectOf(raw["text_config"]),
      num_key_value_heads: text.kvHeads,
      head_dim: text.headSize,
    },
    vision_config: {
      model_type: "clip_vision_model",
      image_size: vision.imageSize,
      patch_size: vision.patchSize,
      hidden_size: vision.hidden,
      ...objectOf(raw["vision_config"]),
    },
    image_token_index: config.imageTokenId,
    ...(config.tiles ? { image_grid_pinpoints: config.tiles.pinpoints } : {}),
    "transformers.js_config": {
      dtype: Object.fromEntries(graphs.map(({ base, dtype }) => [base, dtype])),
      use_external_data_format: Object.fromEntries(graphs.map(({ file, dataFiles }) => [file, dataFiles])),
    },
  };
}

/** ViP-LLaVA and a mixture of towers as LLaVA, which transformers.js has a class for: what else they do is in the graph. */
function withPlainClass({ vision, projectorNorm, mixture }: LlavaConfig): Json {
  const plain = { model_type: "llava", architectures: ["LlavaForConditionalGeneration"] };
  if (mixture) return plain;
  if (projectorNorm === undefined) return {};
  return { ...plain, vision_feature_layer: vision.featureLayers, projector_layernorm_eps: projectorNorm };
}

/** The image processor's settings, in their own file or inside the processor's as newer checkpoints have them. */
export async function imageProcessor(folder: CheckpointFolder): Promise<Json | undefined> {
  const own = await readObject(folder, "preprocessor_config.json");
  if (own) return own;
  const nested = (await readObject(folder, "processor_config.json"))?.["image_processor"];
  return v.is(JsonObject, nested) ? nested : undefined;
}

const Ids = v.union([v.pipe(v.number(), v.integer()), v.array(v.pipe(v.number(), v.integer()))]);

/** The checkpoint's own, with the tokens that end an answer by its chat template. */
async function generationConfig(
  folder: CheckpointFolder,
  config: Json,
  ends: readonly number[],
): Promise<Json | undefined> {
  const own = await readObject(folder, "generation_config.json");
  const stated = [own?.["eos_token_id"], config["eos_token_id"], objectOf(config["text_config"])["eos_token_id"]];
  const ids = stated.flatMap((value) => (v.is(Ids, value) ? [[value].flat()] : []))[0] ?? [];
  const missing = ends.filter((id) => !ids.includes(id));
  return missing.length === 0 ? own : { ...own, eos_token_id: [...ids, ...missing] };
}

function clipPreprocessing(size: number): Json {
  return {
    image_processor_type: "CLIPImageProcessor",
    processor_class: "LlavaProcessor",
    do_convert_rgb: true,
    do_resize: true,
    size: { shortest_edge: size },
    resample: 3,
    do_center_crop: true,
    crop_size: { height: size, width: size },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
  };
}

function siglipPreprocessing(size: number): Json {
  return {
    image_processor_type: "SiglipImageProcessor",
    processor_class: "LlavaProcessor",
    do_convert_rgb: true,
    do_resize: true,
    size: { height: size, width: size },
    resample: 3,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  };
}

function objectOf(value: unknown): Json {
  return v.is(JsonObject, value) ? value : {};
}

function toText(value: Json): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
