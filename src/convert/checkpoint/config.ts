// Parses a LLaVA checkpoint's config.json: what the graphs need of it, with Hugging Face's defaults for what it leaves out.
// The one place that knows its snake_case names.
import * as v from "valibot";
import { badCheckpoint } from "./bad-checkpoint.ts";
import { Mixture, mixtureOf, type MixtureConfig } from "./mixture-config.ts";

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
  /** Blocks that are run: those after the selected layer are left out. */
  readonly layers: number;
  readonly keepClass: boolean;
}

/** Pictures in tiles: the whole picture first, then the tiles of the best fitting grid. */
interface TilesConfig {
  /** Sizes that a picture may be fitted into, in pixels, height first; multiples of the tower's side. */
  readonly pinpoints: readonly (readonly [number, number])[];
  /** Features of more tiles than these are shrunk to as many (OneVision's `anyres_max_N`). */
  readonly most?: number | undefined;
  /** Several pictures in a prompt are one square each, not tiles (OneVision). */
  readonly onlyAlone: boolean;
}

export interface TextConfig {
  readonly hidden: number;
  readonly ffn: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocab: number;
  readonly context: number;
  /** What the config says; larger than `context` where attention sees a window only, which the context is cut to. */
  readonly statedContext: number;
  readonly epsilon: number;
  /** Biases of the queries, keys and values together, and of the matrix after them. */
  readonly qkvBias: boolean;
  readonly outBias: boolean;
  readonly mlpBias: boolean;
  readonly tiedHead: boolean;
  /** Rotary frequencies per pair of channels, f32. */
  readonly inverseFrequencies: Float32Array; // [headSize / 2]
}

/** What stands between a projector's two layers. */
export type ProjectorActivation = "gelu" | "gelu_tanh" | "quick_gelu" | "relu" | "silu";

export interface LlavaConfig {
  readonly vision: VisionConfig;
  readonly text: TextConfig;
  readonly projector: "linear" | "mlp2x_gelu";
  readonly projectorBias: boolean;
  readonly projectorActivation: ProjectorActivation;
  readonly imageTokenId: number;
  /** Rows of features that one picture, or one tile of it, makes. */
  readonly imageTokens: number;
  readonly imageAspect: "pad" | "crop" | "resize" | undefined;
  readonly tiles: TilesConfig | undefined;
  /** Whether a picture's slot stands between the tokens <im_start> and <im_end>. */
  readonly imageMarks: boolean;
  /** The second tower of a mixture. */
  readonly mixture?: MixtureConfig | undefined;
}

const number = v.number((issue) => `it is ${issue.received}, and a number is needed`);
const integer = v.integer<number, (issue: { readonly input: number }) => string>(
  ({ input }) => `it is ${input}, and a whole number is needed`,
);
/** A size: at least 1, and no larger than any model has it by far. */
const upTo = (most: number) =>
  v.pipe(
    number,
    integer,
    v.minValue(1, ({ input }) => `it is ${input}, and at least 1 is needed`),
    v.maxValue(most, ({ input }) => `it is ${input}, and at most ${most} can be`),
  );
const whole = upTo(65_536);
const positive = v.pipe(
  number,
  v.finite(),
  v.gtValue(0, ({ input }) => `it is ${input}, and more than 0 is needed`),
);
const layerIndex = v.pipe(number, integer);
const tokenId = v.pipe(
  number,
  integer,
  v.minValue(0, ({ input }) => `it is ${input}, and a token's number is 0 or more`),
);

const Rope = v.looseObject({
  rope_type: v.optional(v.string()),
  type: v.optional(v.string()),
  rope_theta: v.optional(positive),
  factor: v.optional(positive),
  low_freq_factor: v.optional(positive),
  high_freq_factor: v.optional(positive),
  original_max_position_embeddings: v.optional(positive),
});

const Text = v.looseObject({
  model_type: v.optional(v.string(), "llama"),
  hidden_size: v.optional(whole, 4096),
  intermediate_size: v.optional(upTo(2 ** 20)),
  num_hidden_layers: v.optional(upTo(1024), 32),
  num_attention_heads: v.optional(upTo(1024), 32),
  num_key_value_heads: v.nullish(upTo(1024)),
  head_dim: v.nullish(upTo(4096)),
  vocab_size: v.optional(upTo(2 ** 22)),
  max_position_embeddings: v.optional(upTo(2 ** 24)),
  rms_norm_eps: v.optional(positive, 1e-6),
  hidden_act: v.optional(v.string(), "silu"),
  attention_bias: v.optional(v.boolean(), false),
  mlp_bias: v.optional(v.boolean(), false),
  sliding_window: v.nullish(upTo(2 ** 24)),
  use_sliding_window: v.optional(v.boolean(), false),
  tie_word_embeddings: v.optional(v.boolean(), false),
  rope_theta: v.optional(positive, 10000),
  rope_scaling: v.nullish(Rope),
  rope_parameters: v.nullish(Rope),
});

/** What Hugging Face's classes take for what a config leaves out. */
const textDefaults = {
  llama: { ffn: 11008, vocab: 32000, context: 2048, kvHeads: undefined, window: undefined },
  mistral: { ffn: 14336, vocab: 32000, context: 131072, kvHeads: 8, window: 4096 },
  qwen2: { ffn: 22016, vocab: 151936, context: 32768, kvHeads: 32, window: undefined },
} as const;

const Vision = v.looseObject({
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

/** CLIP's are those of LLaVA's classes, which are larger than CLIP's own. */
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

const projectorActivations: Readonly<Record<string, ProjectorActivation>> = {
  ...activations,
  gelu_fast: "gelu_tanh",
  relu: "relu",
  silu: "silu",
  swish: "silu",
};

/** A config's word for it; LLaVA's own where it says nothing. */
export function projectorActivation(stated: unknown): ProjectorActivation {
  const name = typeof stated === "string" ? stated : "gelu";
  const known = projectorActivations[name];
  if (known !== undefined) return known;
  throw badCheckpoint(`projector_hidden_act is "${name}"; known are ${Object.keys(projectorActivations).join(", ")}`);
}

/** The three classes of Hugging Face and the mixture of towers: what a config of each leaves out. */
const kinds: Readonly<Record<string, { readonly layer: number; readonly strategy: string; readonly tiles?: Tiles }>> = {
  llava: { layer: -2, strategy: "default" },
  llava_mixture: { layer: -2, strategy: "default" },
  llava_next: { layer: -2, strategy: "default", tiles: { side: 336, grid: lines(3, 2), most: undefined } },
  llava_onevision: { layer: -1, strategy: "full", tiles: { side: 384, grid: squares(6), most: "anyres_max_9" } },
};

interface Tiles {
  readonly side: number;
  /** In tiles, height first. */
  readonly grid: readonly (readonly [number, number])[];
  readonly most: string | undefined;
}

/** LLaVA-1.6's grids, in its order. */
function lines(longest: number, square: number): Tiles["grid"] {
  return [[1, square], [square, 1], [square, square], [longest, 1], [1, longest]]; // prettier-ignore
}

/** Every grid of up to so many rows and columns. */
function squares(most: number): Tiles["grid"] {
  const counts = Array.from({ length: most }, (_, i) => i + 1);
  return counts.flatMap((rows) => counts.map((columns): readonly [number, number] => [rows, columns]));
}

const Config = v.looseObject({
  model_type: v.string(),
  text_config: v.optional(Text, {}),
  vision_config: v.optional(Vision, {}),
  projector_hidden_act: v.optional(v.string(), "gelu"),
  multimodal_projector_bias: v.optional(v.boolean(), true),
  vision_feature_layer: v.optional(v.union([layerIndex, v.array(layerIndex)])),
  vision_feature_select_strategy: v.optional(v.string()),
  image_grid_pinpoints: v.nullish(v.union([v.string(), v.pipe(v.array(v.tuple([whole, whole])), v.maxLength(1000))])),
  vision_aspect_ratio: v.optional(v.string()),
  mm_projector_type: v.optional(v.string()),
  mm_patch_merge_type: v.optional(v.string()),
  mm_use_im_start_end: v.optional(v.boolean(), false),
  image_token_index: v.optional(tokenId),
  image_token_id: v.optional(tokenId),
  image_aspect_ratio: v.optional(v.string()),
  tie_word_embeddings: v.optional(v.boolean(), false),
});
type RawConfig = v.InferOutput<typeof Config>;

/** The parsed config, or EngineError("bad-checkpoint") naming what is unknown. */
export function parseConfig(json: unknown): LlavaConfig {
  const raw = checked(Config, json);
  const kind = kinds[raw.model_type];
  if (!kind) throw badCheckpoint(unsupported(raw.model_type));
  const projector = raw.mm_projector_type ?? "mlp2x_gelu";
  if (projector !== "linear" && projector !== "mlp2x_gelu") {
    throw badCheckpoint(`mm_projector_type is "${projector}"; known are linear, mlp2x_gelu`);
  }
  const strategy = raw.vision_feature_select_strategy ?? kind.strategy;
  only("vision_feature_select_strategy", strategy, ["default", "full"]);
  const vision = visionConfig(raw, strategy === "full", raw.vision_feature_layer ?? kind.layer);
  const imageTokenId = raw.image_token_index ?? raw.image_token_id;
  if (imageTokenId === undefined) throw badCheckpoint("config.json has no image_token_index");
  const side = Math.floor(vision.imageSize / vision.patchSize);
  const mixture = raw.model_type === "llava_mixture" ? mixtureOf(checked(Mixture, json)) : undefined;
  const aspect = raw.image_aspect_ratio;
  return {
    vision,
    text: textConfig(raw),
    projector,
    projectorBias: raw.multimodal_projector_bias,
    projectorActivation: projectorActivation(raw.projector_hidden_act),
    imageTokenId,
    imageTokens: side * side + (vision.keepClass ? 1 : 0) + (mixture?.classTokens ?? 0),
    imageAspect: aspect === "pad" || aspect === "crop" || aspect === "resize" ? aspect : undefined,
    tiles: kind.tiles && tilesConfig(raw, kind.tiles, vision),
    imageMarks: raw.mm_use_im_start_end,
    ...(mixture ? { mixture } : {}),
  };
}

function checked<T extends v.GenericSchema>(schema: T, json: unknown): v.InferOutput<T> {
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw badCheckpoint(`config.json: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
}

function unsupported(type: string): string {
  const what = /mpt/i.test(type) ? "LLaVA on MPT" : `model_type is "${type}", which`;
  return `${what} is not supported; LLaVA 1.0 to 1.6 on Llama, Vicuna, Mistral or Yi, LLaVA-Interleave and LLaVA-OneVision on Qwen2 are`;
}

function tilesConfig(raw: RawConfig, kind: Tiles, vision: VisionConfig): TilesConfig {
  if (vision.keepClass) throw badCheckpoint("pictures in tiles with the class token kept can't be converted");
  only("mm_patch_merge_type", raw.mm_patch_merge_type ?? "spatial_unpad", ["spatial_unpad"]);
  const grid = kind.grid.map(([rows, columns]): readonly [number, number] => [rows * kind.side, columns * kind.side]);
  const given = raw.image_grid_pinpoints;
  const pinpoints = typeof given === "string" ? pinpointsIn(given, vision.imageSize) : (given ?? grid);
  if (pinpoints.length === 0) throw badCheckpoint("image_grid_pinpoints is empty");
  for (const size of pinpoints) {
    if (size.some((pixels) => pixels % vision.imageSize !== 0)) {
      throw badCheckpoint(
        `image_grid_pinpoints has ${size.join(" × ")}, which tiles of ${vision.imageSize} pixels don't fill`,
      );
    }
  }
  const stated = kind.most === undefined ? raw.image_aspect_ratio : (raw.vision_aspect_ratio ?? raw.image_aspect_ratio);
  const most = /^anyres_max_(\d+)$/.exec(stated ?? kind.most ?? "")?.[1];
  return { pinpoints, most: most === undefined ? undefined : Number(most), onlyAlone: kind.most !== undefined };
}

/**
 * LLaVA's ways of writing grids as text: "(1x1),...,(6x6)" is every grid, in tiles, between its first and its last; else a list of sizes in
 * pixels as Python writes it.
 */
export function pinpointsIn(text: string, side: number): readonly (readonly [number, number])[] {
  const corners = [...text.matchAll(/\((\d{1,2})x(\d{1,2})\)/g)].map(([, a, b]) => [Number(a), Number(b)] as const);
  const [first, last] = [corners[0], corners.at(-1)];
  if (first && last) {
    const between = (from: number, to: number) =>
      Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
    return between(first[0], last[0]).flatMap((a) =>
      between(first[1], last[1]).map((b) => [a * side, b * side] as const),
    );
  }
  if (!/^[\s\d()[\],]*$/.test(text))
    throw badCheckpoint(`image_grid_pinpoints is "${text.slice(0, 60)}", which is no list of grids`);
  return [...text.matchAll(/[([]\s*(\d{1,5})\s*,\s*(\d{1,5})\s*[)\]]/g)].map(
    ([, a, b]) => [Number(a), Number(b)] as const,
  );
}

function visionConfig(raw: RawConfig, full: boolean, stated: number | readonly number[]): VisionConfig {
  const [layer = NaN, ...others] = typeof stated === "number" ? [stated] : stated;
  if (Number.isNaN(layer) || others.length > 0) {
    throw badCheckpoint(
      `vision_feature_layer lists ${Number.isNaN(layer) ? "no layer" : "several layers"}; only one can be converted`,
    );
  }
  const vision = raw.vision_config;
  only("vision_config.model_type", vision.model_type, ["clip_vision_model", "siglip_vision_model"]);
  const kind = vision.model_type === "siglip_vision_model" ? "siglip" : "clip";
  const defaults = visionDefaults[kind];
  if (kind === "siglip" && !full) {
    throw badCheckpoint(
      'vision_feature_select_strategy is "default", but SigLIP has no class token to drop; it must be "full"',
    );
  }
  const all = vision.num_hidden_layers ?? defaults.layers;
  const layers = layer < 0 ? all + 1 + layer : layer;
  if (layers < 0 || layers > all)
    throw badCheckpoint(`vision_feature_layer ${layer} is outside the tower's ${all} layers`);
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
    layers,
    keepClass: full && kind === "clip",
  };
}

function textConfig(raw: RawConfig): TextConfig {
  const text = raw.text_config;
  const type = text.model_type;
  if (type !== "llama" && type !== "mistral" && type !== "qwen2") {
    throw badCheckpoint(`text_config.model_type is "${type}"; known are ${Object.keys(textDefaults).join(", ")}`);
  }
  only("text_config.hidden_act", text.hidden_act, ["silu"]);
  const defaults = textDefaults[type];
  const stated = text.max_position_embeddings ?? defaults.context;
  const window = text.sliding_window === undefined ? defaults.window : text.sliding_window;
  // Within the window attention is the same as over everything.
  const context = (type === "mistral" || text.use_sliding_window) && window != null ? Math.min(window, stated) : stated;
  const heads = text.num_attention_heads;
  const kvHeads = text.num_key_value_heads ?? defaults.kvHeads ?? heads;
  divides("text_config", heads, kvHeads);
  if (text.head_dim == null) divides("text_config", text.hidden_size, heads);
  const headSize = text.head_dim ?? text.hidden_size / heads;
  if (headSize % 16 !== 0) throw badCheckpoint(`the decoder's head size is ${headSize}; it must be a multiple of 16`);
  const bias = type === "llama" && text.attention_bias;
  return {
    hidden: text.hidden_size,
    ffn: text.intermediate_size ?? defaults.ffn,
    layers: text.num_hidden_layers,
    heads,
    kvHeads,
    headSize,
    vocab: text.vocab_size ?? defaults.vocab,
    context,
    statedContext: stated,
    epsilon: text.rms_norm_eps,
    qkvBias: bias || type === "qwen2",
    outBias: bias,
    mlpBias: type === "llama" && text.mlp_bias,
    tiedHead: text.tie_word_embeddings || raw.tie_word_embeddings,
    inverseFrequencies: inverseFrequencies(headSize, text),
  };
}

function inverseFrequencies(headSize: number, text: RawConfig["text_config"]): Float32Array {
  const rope = { ...text.rope_scaling, ...text.rope_parameters };
  const theta = rope.rope_theta ?? text.rope_theta;
  const out = new Float32Array(headSize / 2);
  for (let i = 0; i < out.length; i++) out[i] = 1 / Math.fround(theta ** ((2 * i) / headSize));

  const type = rope.rope_type ?? rope.type ?? "default";
  const factor = rope.factor ?? 1;
  if (type === "default") return out;
  if (type === "linear") return out.map((frequency) => frequency / factor);
  if (type !== "llama3") throw badCheckpoint(`rotary scaling "${type}" is unknown; known are default, linear, llama3`);

  const low = rope.low_freq_factor ?? 1;
  const high = rope.high_freq_factor ?? 4;
  const original = rope.original_max_position_embeddings ?? 8192;
  return out.map((frequency) => {
    const turns = (original * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

function divides(part: string, total: number, count: number): void {
  if (total % count !== 0) throw badCheckpoint(`${part}: ${total} does not divide by ${count} heads`);
}

function only(field: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw badCheckpoint(`${field} is "${value}"; known are ${known.join(", ")}`);
}
