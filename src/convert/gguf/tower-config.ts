// The vision tower and projector of an mmproj file as Hugging Face's config.json would have them. Knows llama.cpp's keys for CLIP and SigLIP.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { JsonObject } from "#convert/checkpoint/json-file.ts";
import type { Gguf } from "./open-gguf.ts";

export interface GgufTower {
  readonly siglip: boolean;
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
  if (kind !== "mlp") throw metadata.wrong(`has a projector of the type "${kind}"; known are mlp and linear`);
  const key = (name: string): number => metadata.number(`clip.vision.${name}`);
  const siglip = !tensors.has("v.class_embd");
  const imageSize = key("image_size");
  const grids = gridsOf(gguf);
  const blocks = blocksOf(gguf);
  const mlp = tensors.has("mm.2.weight");
  const outputs = tensors.get(mlp ? "mm.2.weight" : "mm.0.weight")?.shape[0];
  if (outputs === undefined) throw metadata.wrong("has no projector (mm.0.weight): give the mmproj file of the model");
  return {
    siglip,
    blocks,
    hidden: key("embedding_length"),
    imageSize,
    outputs,
    visionConfig: {
      model_type: siglip ? "siglip_vision_model" : "clip_vision_model",
      hidden_size: key("embedding_length"),
      intermediate_size: key("feed_forward_length"),
      num_hidden_layers: blocks,
      num_attention_heads: key("attention.head_count"),
      image_size: imageSize,
      patch_size: key("patch_size"),
      layer_norm_eps: key("attention.layer_norm_epsilon"),
      // A SigLIP never has another one, whatever older converters wrote.
      hidden_act: siglip ? "gelu_pytorch_tanh" : metadata.flagIn("clip.use_gelu") === true ? "gelu" : "quick_gelu",
    },
    config: {
      model_type: grids ? (siglip ? "llava_onevision" : "llava_next") : "llava",
      projector_hidden_act: "gelu",
      multimodal_projector_bias: tensors.has("mm.0.bias"),
      mm_projector_type: mlp ? "mlp2x_gelu" : "linear",
      vision_feature_layer: blocks,
      vision_feature_select_strategy: siglip ? "full" : "default",
      image_aspect_ratio: grids ? "anyres" : aspectOf(gguf),
      ...(grids ? { image_grid_pinpoints: grids } : {}),
    },
    preprocessor: preprocessorOf(gguf, siglip, imageSize),
  };
}

/**
 * How many blocks the features go through. Converters leave out those after the layer that LLaVA takes its features from, unless they
 * name the layer.
 */
function blocksOf({ metadata, tensors }: Gguf): number {
  const numbers = [...tensors.keys()].flatMap((name) => /^v\.blk\.(\d+)\./.exec(name)?.[1] ?? []).map(Number);
  const present = numbers.reduce((most, n) => Math.max(most, n + 1), 0);
  const layers = metadata.numbersIn("clip.vision.feature_layer") ?? [];
  if (layers.length > 1) {
    throw metadata.wrong(`takes its features from ${layers.length} layers of the tower, which can't be converted`);
  }
  const wanted = layers[0] ?? present;
  if (wanted > present) throw metadata.wrong(`has ${present} of the tower's ${wanted} blocks: fetch it again`);
  return wanted;
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

function preprocessorOf({ metadata }: Gguf, siglip: boolean, side: number): JsonObject {
  const three = (name: string): readonly number[] => {
    const found = metadata.numbersIn(name);
    if (found?.length !== 3) throw metadata.wrong(`has no three numbers in ${name}: is it a whole projector?`);
    // As they were before they were rounded to 32 bits.
    return found.map((value) => Number(value.toPrecision(8)));
  };
  return {
    image_processor_type: siglip ? "SiglipImageProcessor" : "CLIPImageProcessor",
    image_mean: three("clip.vision.image_mean"),
    image_std: three("clip.vision.image_std"),
    size: siglip ? { height: side, width: side } : { shortest_edge: side },
    crop_size: { height: side, width: side },
  };
}

/** Throws where tower and language model are of two models. */
export function checkWidth({ outputs }: GgufTower, hidden: number, projector: string, model: string): void {
  if (outputs === hidden) return;
  throw badCheckpoint(
    `${projector} is another model's projector: it makes rows of ${outputs} numbers, and ${model} reads rows of ${hidden}; ` +
      "take the mmproj file that was published with the model",
  );
}
