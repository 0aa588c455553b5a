// The vision tower and projector of an mmproj file as Hugging Face's config.json would have them. Knows llama.cpp's keys for CLIP and SigLIP,
// and for Idefics3 (SmolVLM), whose class in Hugging Face is another one.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { JsonObject } from "#convert/checkpoint/json-file.ts";
import { beforeRounding } from "./gguf-metadata.ts";
import type { Gguf } from "./open-gguf.ts";

export interface GgufTower {
  readonly siglip: boolean;
  /** Whether it is of Idefics3's class, which encodes a prompt as a whole. */
  readonly idefics3: boolean;
  /** Blocks that the features go through. */
  readonly blocks: number;
  readonly hidden: number;
  readonly imageSize: number;
  /** Numbers per row of features, which the language model must have, too. */
  readonly outputs: number;
  /** `vision_config`. */
  readonly visionConfig: JsonObject;
  /** Fields of config.json beside the two models. */
  readonly config: JsonObject;
  readonly preprocessor: JsonObject;
}

/** Throws where the file is no mmproj, or one of another kind. */
export function towerOf(gguf: Gguf): GgufTower {
  const { metadata, tensors } = gguf;
  if (metadata.textIn("general.architecture") !== "clip") {
    throw metadata.wrong("is a language model and no projector; give the file with mmproj in its name with --mmproj");
  }
  if (metadata.flagIn("clip.has_vision_encoder") === false || !tensors.has("v.patch_embd.weight")) {
    throw metadata.wrong("has no vision tower: it is for sound, or for another model");
  }
  const kind = metadata.textIn("clip.vision.projector_type") ?? metadata.textIn("clip.projector_type") ?? "mlp";
  if (kind !== "mlp" && kind !== "idefics3")
    throw metadata.wrong(`has a projector of the type "${kind}"; known are mlp, linear and idefics3`);
  const idefics3 = kind === "idefics3";
  const siglip = !tensors.has("v.class_embd");
  const key = (name: string): number => metadata.number(`clip.vision.${name}`);
  const layers = layersOf(gguf);
  const blocks = Math.max(...layers);
  const last = idefics3 ? "mm.model.fc.weight" : tensors.has("mm.2.weight") ? "mm.2.weight" : "mm.0.weight";
  const outputs = tensors.get(last)?.shape[0];
  if (outputs === undefined) throw metadata.wrong(`has no projector (${last}): give the mmproj file of the model`);
  return {
    siglip,
    idefics3,
    blocks,
    hidden: key("embedding_length"),
    imageSize: key("image_size"),
    outputs,
    visionConfig: {
      model_type: idefics3 ? "idefics3_vision" : siglip ? "siglip_vision_model" : "clip_vision_model",
      hidden_size: key("embedding_length"),
      intermediate_size: key("feed_forward_length"),
      num_hidden_layers: blocks,
      num_attention_heads: key("attention.head_count"),
      image_size: key("image_size"),
      patch_size: key("patch_size"),
      layer_norm_eps: key("attention.layer_norm_epsilon"),
      // A SigLIP never has another one, whatever older converters wrote.
      hidden_act: siglip ? "gelu_pytorch_tanh" : metadata.flagIn("clip.use_gelu") === true ? "gelu" : "quick_gelu",
    },
    config: idefics3 ? idefics3Config(gguf) : llavaConfig(gguf, siglip, layers),
    preprocessor: idefics3 ? squaresPreprocessor(gguf) : preprocessorOf(gguf, siglip, key("image_size")),
  };
}

/** LLaVA's fields of config.json beside the two models. */
function llavaConfig(gguf: Gguf, siglip: boolean, layers: readonly number[]): JsonObject {
  const { tensors } = gguf;
  const grids = gridsOf(gguf);
  return {
    model_type: grids ? (siglip ? "llava_onevision" : "llava_next") : "llava",
    projector_hidden_act: "gelu",
    multimodal_projector_bias: tensors.has("mm.0.bias"),
    mm_projector_type: tensors.has("mm.2.weight") ? "mlp2x_gelu" : "linear",
    vision_feature_layer: layers.length === 1 ? layers[0] : layers,
    vision_feature_select_strategy: siglip ? "full" : "default",
    image_aspect_ratio: grids ? "anyres" : aspectOf(gguf),
    ...(grids ? { image_grid_pinpoints: grids } : {}),
  };
}

/** The same for Idefics3. */
function idefics3Config({ metadata }: Gguf): JsonObject {
  const factor = metadata.numberIn("clip.vision.projector.scale_factor");
  return { model_type: "idefics3", ...(factor === undefined ? {} : { scale_factor: factor }) };
}

/** Pictures in squares of the tower's size, after they are scaled to a longest edge. */
function squaresPreprocessor(gguf: Gguf): JsonObject {
  const { metadata } = gguf;
  const side = metadata.number("clip.vision.image_size");
  const longest = metadata.numberIn("clip.vision.preproc_image_size");
  return {
    ...meansOf(gguf),
    ...(longest === undefined ? {} : { size: { longest_edge: longest } }),
    max_image_size: { longest_edge: side },
  };
}

/**
 * The layers that the features are taken from: how many blocks they have gone through. Converters leave out the blocks after LLaVA's layer,
 * unless they name the layer; several are put side by side in ascending order.
 */
function layersOf({ metadata, tensors }: Gguf): readonly number[] {
  const numbers = [...tensors.keys()].flatMap((name) => /^v\.blk\.(\d+)\./.exec(name)?.[1] ?? []).map(Number);
  const present = numbers.reduce((most, n) => Math.max(most, n + 1), 0);
  const stated = metadata.numbersIn("clip.vision.feature_layer") ?? [];
  const layers = stated.length === 0 ? [present] : [...new Set(stated)].sort((a, b) => a - b);
  const wanted = layers.at(-1) ?? present;
  if (wanted > present) throw metadata.wrong(`has ${present} of the tower's ${wanted} blocks: fetch it again`);
  return layers;
}

/** Sizes of pictures in tiles, height first; undefined for one square per picture. */
function gridsOf({ metadata }: Gguf): [number, number][] | undefined {
  const flat = metadata.numbersIn("clip.vision.image_grid_pinpoints") ?? [];
  if (flat.length === 0) return undefined;
  if (flat.length % 2 !== 0) throw metadata.wrong("has half a size in clip.vision.image_grid_pinpoints: it is damaged");
  // Width first in the file, as in LLaVA's own configs.
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i + 1] ?? 0, flat[2 * i] ?? 0]);
}

function aspectOf({ metadata }: Gguf): string {
  const stated = metadata.textIn("clip.vision.image_aspect_ratio");
  return stated === "square" ? "crop" : "pad";
}

function preprocessorOf(gguf: Gguf, siglip: boolean, side: number): JsonObject {
  return {
    image_processor_type: siglip ? "SiglipImageProcessor" : "CLIPImageProcessor",
    ...meansOf(gguf),
    size: siglip ? { height: side, width: side } : { shortest_edge: side },
    crop_size: { height: side, width: side },
  };
}

function meansOf({ metadata }: Gguf): JsonObject {
  const three = (name: string): readonly number[] => {
    const found = metadata.numbersIn(name);
    if (found?.length !== 3) throw metadata.wrong(`has no three numbers in ${name}: is it a whole projector?`);
    return found.map(beforeRounding);
  };
  return { image_mean: three("clip.vision.image_mean"), image_std: three("clip.vision.image_std") };
}

/** Throws where tower and language model are of two models. */
export function checkWidth({ outputs }: GgufTower, hidden: number, projector: string, model: string): void {
  if (outputs === hidden) return;
  throw badCheckpoint(
    `${projector} is another model's projector: it makes rows of ${outputs} numbers, and ${model} reads rows of ${hidden}; ` +
      "take the mmproj file that was published with the model",
  );
}
