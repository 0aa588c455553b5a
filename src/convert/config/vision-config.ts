// The vision tower in a checkpoint's config.json: `vision_config`, and which of its layers the features are taken from.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { divides, number, only, positive, upTo, whole } from "./config-fields.ts";

export interface VisionConfig {
  /** CLIP has a class token and a norm before its blocks; SigLIP has neither. */
  readonly kind: "clip" | "siglip";
  readonly hidden: number;
  readonly ffn: number;
  readonly heads: number;
  readonly channels: number;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly epsilon: number;
  readonly activation: "quick_gelu" | "gelu" | "gelu_tanh";
  /** Number of blocks up to the last layer that features are taken from. */
  readonly layers: number;
  /** After how many blocks features are taken; those of several layers are put side by side, in this order. */
  readonly featureLayers: readonly number[];
  readonly keepClass: boolean;
  /** Whether a norm follows the last block, as in Idefics3. */
  readonly postNorm: boolean;
}

/** `vision_config`. */
export const Vision = v.looseObject({
  model_type: v.optional(v.string(), "clip_vision_model"),
  hidden_size: v.optional(whole),
  intermediate_size: v.optional(upTo(2 ** 20)),
  num_hidden_layers: v.optional(upTo(1024)),
  num_attention_heads: v.optional(upTo(1024)),
  num_channels: v.optional(
    v.pipe(
      number,
      v.value(3, ({ input }) => `it is ${input}, and pictures have 3`),
    ),
    3,
  ),
  image_size: v.optional(upTo(4096)),
  patch_size: v.optional(upTo(4096)),
  layer_norm_eps: v.optional(positive),
  hidden_act: v.optional(v.string()),
});

/** Defaults of LLaVA's classes, whose CLIP is larger than the default of CLIP's own class. */
const visionDefaults = {
  clip: {
    hidden: 1024,
    ffn: 4096,
    layers: 24,
    heads: 16,
    image: 336,
    patch: 14,
    epsilon: 1e-5,
    activation: "quick_gelu",
  },
  siglip: {
    hidden: 768,
    ffn: 3072,
    layers: 12,
    heads: 12,
    image: 224,
    patch: 16,
    epsilon: 1e-6,
    activation: "gelu_pytorch_tanh",
  },
} as const;

const activations: Readonly<Record<string, VisionConfig["activation"]>> = {
  quick_gelu: "quick_gelu",
  gelu: "gelu",
  gelu_pytorch_tanh: "gelu_tanh",
  gelu_new: "gelu_tanh",
};

/** The activation between a projector's two layers. */
export type ProjectorActivation = "gelu" | "gelu_tanh" | "quick_gelu" | "relu" | "silu";

const projectorActivations: Readonly<Record<string, ProjectorActivation>> = {
  ...activations,
  gelu_fast: "gelu_tanh",
  relu: "relu",
  silu: "silu",
  swish: "silu",
};

/** The activation that projector_hidden_act names; GELU where it is absent. Throws for unknown names. */
export function projectorActivation(stated: unknown): ProjectorActivation {
  const name = typeof stated === "string" ? stated : "gelu";
  const known = projectorActivations[name];
  if (known !== undefined) return known;
  throw badCheckpoint(`projector_hidden_act is "${name}"; known are ${Object.keys(projectorActivations).join(", ")}`);
}

/**
 * The tower as it is run. `full` keeps the class token; `stated` is vision_feature_layer, one or several, which count from the end where they
 * are negative. Blocks after the last of these layers are left out.
 */
export function visionConfig(
  vision: v.InferOutput<typeof Vision>,
  full: boolean,
  stated: number | readonly number[],
): VisionConfig {
  only("vision_config.model_type", vision.model_type, ["clip_vision_model", "siglip_vision_model"]);
  const kind = vision.model_type === "siglip_vision_model" ? "siglip" : "clip";
  const defaults = visionDefaults[kind];
  if (kind === "siglip" && !full) {
    throw badCheckpoint(
      'vision_feature_select_strategy is "default", but SigLIP has no class token to drop; it must be "full"',
    );
  }
  const all = vision.num_hidden_layers ?? defaults.layers;
  const featureLayers = [stated].flat().map((layer) => (layer < 0 ? all + 1 + layer : layer));
  const outside = [stated].flat().find((_, i) => !((featureLayers[i] ?? -1) >= 0 && (featureLayers[i] ?? 0) <= all));
  if (outside !== undefined)
    throw badCheckpoint(`vision_feature_layer ${outside} is outside the tower's ${all} layers`);
  if (featureLayers.length === 0) throw badCheckpoint("vision_feature_layer lists no layer");
  const act = vision.hidden_act ?? defaults.activation;
  const activation = activations[act];
  if (activation === undefined) {
    throw badCheckpoint(`vision_config.hidden_act is "${act}"; known are ${Object.keys(activations).join(", ")}`);
  }
  const [imageSize, patchSize] = [vision.image_size ?? defaults.image, vision.patch_size ?? defaults.patch];
  if (patchSize > imageSize)
    throw badCheckpoint(`vision_config: patches of ${patchSize} pixels don't fit into pictures of ${imageSize}`);
  const hidden = vision.hidden_size ?? defaults.hidden;
  const heads = vision.num_attention_heads ?? defaults.heads;
  divides("vision_config", hidden, heads);
  return {
    kind,
    hidden,
    ffn: vision.intermediate_size ?? defaults.ffn,
    heads,
    channels: vision.num_channels,
    imageSize,
    patchSize,
    epsilon: vision.layer_norm_eps ?? defaults.epsilon,
    activation,
    layers: Math.max(...featureLayers),
    featureLayers,
    keepClass: full && kind === "clip",
    postNorm: false,
  };
}
