// Translates the config.json of LLaVA's own repository into Hugging Face's form: JSON in, JSON out.
// Knows the names of both and the published shapes of the stock vision towers; reads no files.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { knownDecoders } from "#convert/config/text-config.ts";
import { pinpointsIn } from "#convert/config/tiles-config.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * The decoder of each of the original's model types; early checkpoints call themselves plain `llava` or `llama`. ShareGPT4V,
 * TinyLLaVA, Bunny and nanoLLaVA are LLaVA under other names.
 */
const textTypes: Readonly<Record<string, string>> = {
  llava: "llama",
  llama: "llama",
  llava_llama: "llama",
  llava_mistral: "mistral",
  llava_qwen: "qwen2",
  llava_qwen2: "qwen2",
  "llava-qwen2": "qwen2",
  llava_qwen3: "qwen3",
  llava_phi3: "phi3",
  llava_gemma: "gemma",
  llava_gemma2: "gemma2",
  share4v: "llama",
  tiny_llava_llama: "llama",
  tinyllava_llama: "llama",
  tiny_llava_gemma: "gemma",
  tinyllava_gemma: "gemma",
  tinyllava_qwen2: "qwen2",
  tinyllava_phi3: "phi3",
  "bunny-llama": "llama",
  "bunny-qwen2": "qwen2",
  "bunny-phi3": "phi3",
};

/** The decoder of a checkpoint; LLaVA on Phi-2 and LLaVA on Phi-3 both call themselves `llava_phi`, and only Phi-3 has RMS norms. */
function textTypeOf(modelType: string, json: Json): string | undefined {
  return textTypes[modelType] ?? (modelType === "llava_phi" && "rms_norm_eps" in json ? "phi3" : undefined);
}

/** ViP-LLaVA's name for CLIP where it takes features of five layers, and these layers. */
const fiveLayers = { tower: "clip_4layers_336", layers: [-2, -5, -8, -11, 6] } as const;

const halves = [0.5, 0.5, 0.5];

/** Stock towers by what the original calls them: their config, and how they want their pictures. */
const towers: readonly { readonly when: RegExp; readonly config: Json; readonly preprocessor: Json }[] = [
  {
    // ShareGPT4V's own is the same, trained on.
    when: /clip-vit-large-patch14-336$|vit-large336-l12$|^clip_4layers_336$/,
    config: clipLarge(336),
    preprocessor: {},
  },
  {
    when: /clip-vit-large-patch14$/,
    config: clipLarge(224),
    preprocessor: {},
  },
  {
    when: /siglip-so400m-patch14-384$|TinyLLaVA-[\d.]+B-SigLIP$/,
    config: {
      model_type: "siglip_vision_model",
      hidden_size: 1152,
      intermediate_size: 4304,
      num_hidden_layers: 27,
      num_attention_heads: 16,
      image_size: 384,
      patch_size: 14,
      hidden_act: "gelu_pytorch_tanh",
      layer_norm_eps: 1e-6,
    },
    preprocessor: {
      image_processor_type: "SiglipImageProcessor",
      image_mean: halves,
      image_std: halves,
      size: { height: 384, width: 384 },
      crop_size: { height: 384, width: 384 },
    },
  },
];

function clipLarge(size: number): Json {
  return {
    model_type: "clip_vision_model",
    hidden_size: 1024,
    intermediate_size: 4096,
    num_hidden_layers: 24,
    num_attention_heads: 16,
    image_size: size,
    patch_size: 14,
    hidden_act: "quick_gelu",
    layer_norm_eps: 1e-5,
  };
}

const Original = v.looseObject({
  model_type: v.string(),
  vocab_size: v.pipe(v.number(), v.integer(), v.minValue(1)),
  mm_vision_tower: v.optional(v.string()),
  mm_projector_type: v.optional(v.string(), "linear"),
  mm_vision_select_layer: v.optional(v.number()),
  mm_vision_select_feature: v.optional(v.string(), "patch"),
  mm_use_im_start_end: v.optional(v.boolean(), false),
  mm_patch_merge_type: v.nullish(v.string()),
  image_aspect_ratio: v.nullish(v.string()),
  image_grid_pinpoints: v.nullish(v.union([v.string(), v.array(v.tuple([v.number(), v.number()]))])),
  s2: v.optional(v.boolean(), false),
  use_s2: v.optional(v.boolean(), false),
});

/** Whether a config.json is of the original kind: one flat object with the decoder's fields and `mm_…` beside them. */
export function isOriginalConfig(json: Json): boolean {
  if ("text_config" in json || "vision_config" in json) return false;
  return Object.keys(json).some((key) => key.startsWith("mm_")) || String(json["model_type"]).startsWith("llava_");
}

/**
 * TinyLLaVA's newer checkpoints have the parts of Hugging Face's configs under names of their own: the same as one flat object, with the
 * tower's config beside it. Undefined for others.
 */
export function flatTinyLlava(json: Json): { readonly config: Json; readonly vision: Json } | undefined {
  if (json["model_type"] !== "tinyllava") return undefined;
  const Parts = v.object({ text_config: v.looseObject({ model_type: v.string() }), vision_config: v.looseObject({}) });
  const parsed = v.safeParse(Parts, json);
  if (!parsed.success) throw badCheckpoint("config.json of a TinyLLaVA has no text_config or no vision_config");
  const { text_config: text, vision_config: vision } = parsed.output;
  const feature = json["vision_feature_select_strategy"] ?? "patch";
  if (feature === "patch" && String(vision["model_type"]).startsWith("siglip")) {
    throw badCheckpoint(
      'vision_feature_select_strategy is "patch" over SigLIP, where TinyLLaVA drops the first patch for want of a class token; ' +
        "that can't be converted",
    );
  }
  const config = {
    ...text,
    model_type: `tinyllava_${text.model_type}`,
    vocab_size: text["vocab_size"] ?? json["vocab_size"],
    mm_vision_tower: json["vision_model_name_or_path"] ?? "",
    mm_projector_type: json["connector_type"] ?? "mlp2x_gelu",
    mm_vision_select_layer: json["vision_feature_layer"] ?? -2,
    mm_vision_select_feature: feature,
    image_aspect_ratio: json["image_aspect_ratio"] ?? "square",
    tie_word_embeddings: text["tie_word_embeddings"] ?? json["tie_word_embeddings"] ?? false,
  };
  return { config, vision };
}

/** What the original calls its vision tower: a name of the hub or a path; for messages and for stock towers. */
export function towerName(json: Json): string | undefined {
  const name = json["mm_vision_tower"];
  return typeof name === "string" ? name : undefined;
}

/** A stock tower's settings for its pictures, or undefined where the tower is none that we know. */
export function stockPreprocessor(json: Json): Json | undefined {
  return stockTower(towerName(json))?.preprocessor;
}

/**
 * The same checkpoint's config.json as Hugging Face would have it. `visionConfig` is the tower's own, where there is one; `imageToken` the
 * id of `<image>` in the tokenizer. The original's `mm_…` fields are kept: Hugging Face's config has no place for what they say.
 */
export function translateConfig(json: Json, visionConfig: Json | undefined, imageToken?: number): Json {
  const parsed = v.safeParse(Original, json);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw badCheckpoint(`config.json: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
  }
  const original = parsed.output;
  const textType = textTypeOf(original.model_type, json);
  if (textType === undefined) throw badCheckpoint(unsupported(original.model_type));
  if (original.s2 || original.use_s2) {
    throw badCheckpoint(
      "config.json asks for the S² tower (s2: true), which looks at a picture in several sizes at once and is not supported; " +
        "take a checkpoint without it, such as Bunny 1.0",
    );
  }
  if (original.mm_projector_type !== "linear" && original.mm_projector_type !== "mlp2x_gelu") {
    throw badCheckpoint(`mm_projector_type is "${original.mm_projector_type}"; known are linear, mlp2x_gelu`);
  }
  // Bunny's code has it fixed.
  const layer = original.mm_vision_select_layer ?? (original.model_type.startsWith("bunny-") ? -2 : undefined);
  if (layer === undefined) throw badCheckpoint("config.json has no mm_vision_select_layer");
  const vision = visionConfig ?? stockTower(original.mm_vision_tower)?.config;
  if (!vision) {
    const tower = original.mm_vision_tower === undefined ? "is not named" : `is "${original.mm_vision_tower}"`;
    throw badCheckpoint(`the vision tower ${tower}, and its config.json is not here: name its folder with --vision`);
  }
  const several = original.mm_vision_tower === fiveLayers.tower;
  const siglip = String(vision["model_type"]).startsWith("siglip");
  const aspect = original.image_aspect_ratio ?? "square";
  const anyres = aspect.startsWith("anyres");
  const fromText = Object.entries(json).filter(([key]) => !/^(mm_|image_|model_type$|architectures$)/.test(key));
  const kept = Object.entries(json).filter(([key]) => key.startsWith("mm_"));
  return {
    ...Object.fromEntries(kept),
    architectures: [anyres ? "LlavaNextForConditionalGeneration" : "LlavaForConditionalGeneration"],
    model_type: several ? "vipllava" : anyres ? (siglip ? "llava_onevision" : "llava_next") : "llava",
    text_config: { ...Object.fromEntries(fromText), model_type: textType },
    vision_config: vision,
    projector_hidden_act: "gelu",
    mm_projector_type: original.mm_projector_type,
    vision_feature_layer: several ? fiveLayers.layers : layer,
    // SigLIP has no class token that could be dropped.
    vision_feature_select_strategy: siglip || original.mm_vision_select_feature === "cls_patch" ? "full" : "default",
    image_token_index: imageToken ?? original.vocab_size,
    image_aspect_ratio: anyres || aspect === "pad" ? aspect : "crop",
    // The original counts width first, Hugging Face height first; with both the order decides between equals.
    ...(anyres ? { image_grid_pinpoints: gridsOf(original.image_grid_pinpoints, vision["image_size"]) } : {}),
    ...Object.fromEntries(
      ["tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id", "transformers_version"].flatMap((key) =>
        key in json ? [[key, json[key]]] : [],
      ),
    ),
  };
}

function unsupported(modelType: string): string {
  const what = modelType.includes("mpt") ? "LLaVA on MPT" : `model_type "${modelType}"`;
  return `${what} is not supported; LLaVA on ${knownDecoders} is`;
}

function gridsOf(stated: string | readonly (readonly [number, number])[] | null | undefined, side: unknown) {
  const sizes = typeof stated === "string" ? pinpointsIn(stated, typeof side === "number" ? side : 336) : stated;
  return sizes?.map(([w, h]) => [h, w]);
}

function stockTower(name: string | undefined) {
  return name === undefined ? undefined : towers.find(({ when }) => when.test(name.replace(/\/+$/, "")));
}
