// Parses a LLaVA checkpoint's config.json: what the graphs need of it, with Hugging Face's defaults for what it leaves out.
// The one place that knows its snake_case names.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";

export interface VisionConfig {
  readonly hidden: number;
  readonly ffn: number;
  readonly heads: number;
  readonly channels: number;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly epsilon: number;
  readonly activation: "quick_gelu" | "gelu";
  /** Blocks that are run: those after the selected layer are left out. */
  readonly layers: number;
  readonly keepClass: boolean;
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
  readonly epsilon: number;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly tiedHead: boolean;
  /** Rotary frequencies per pair of channels, f32. */
  readonly inverseFrequencies: Float32Array; // [headSize / 2]
}

export interface LlavaConfig {
  readonly vision: VisionConfig;
  readonly text: TextConfig;
  readonly projectorBias: boolean;
  readonly imageTokenId: number;
  /** Rows of features that one picture makes. */
  readonly imageTokens: number;
  readonly imageAspect: "pad" | "crop" | "resize" | undefined;
}

const whole = v.pipe(v.number(), v.integer(), v.minValue(1));
const positive = v.pipe(v.number(), v.gtValue(0));

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
  intermediate_size: v.optional(whole, 11008),
  num_hidden_layers: v.optional(whole, 32),
  num_attention_heads: v.optional(whole, 32),
  num_key_value_heads: v.nullish(whole),
  head_dim: v.nullish(whole),
  vocab_size: v.optional(whole, 32000),
  max_position_embeddings: v.optional(whole, 2048),
  rms_norm_eps: v.optional(positive, 1e-6),
  hidden_act: v.optional(v.string(), "silu"),
  attention_bias: v.optional(v.boolean(), false),
  mlp_bias: v.optional(v.boolean(), false),
  sliding_window: v.nullish(v.number()),
  tie_word_embeddings: v.optional(v.boolean(), false),
  rope_theta: v.optional(positive, 10000),
  rope_scaling: v.nullish(Rope),
  rope_parameters: v.nullish(Rope),
});

const Vision = v.looseObject({
  model_type: v.optional(v.string(), "clip_vision_model"),
  hidden_size: v.optional(whole, 1024),
  intermediate_size: v.optional(whole, 4096),
  num_hidden_layers: v.optional(whole, 24),
  num_attention_heads: v.optional(whole, 16),
  num_channels: v.optional(whole, 3),
  image_size: v.optional(whole, 336),
  patch_size: v.optional(whole, 14),
  layer_norm_eps: v.optional(positive, 1e-5),
  hidden_act: v.optional(v.string(), "quick_gelu"),
});

const Config = v.looseObject({
  model_type: v.string(),
  text_config: v.optional(Text, {}),
  vision_config: v.optional(Vision, {}),
  projector_hidden_act: v.optional(v.string(), "gelu"),
  multimodal_projector_bias: v.optional(v.boolean(), true),
  vision_feature_layer: v.optional(v.union([v.number(), v.array(v.number())]), -2),
  vision_feature_select_strategy: v.optional(v.string(), "default"),
  image_token_index: v.optional(v.number()),
  image_token_id: v.optional(v.number()),
  image_aspect_ratio: v.optional(v.string()),
  tie_word_embeddings: v.optional(v.boolean(), false),
});
type RawConfig = v.InferOutput<typeof Config>;

/** The parsed config, or EngineError("bad-checkpoint") naming what is unknown. */
export function parseConfig(json: unknown): LlavaConfig {
  const parsed = v.safeParse(Config, json);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw bad(`config.json: ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
  }
  const raw = parsed.output;
  if (raw.model_type !== "llava") throw bad(`model_type is "${raw.model_type}"; only "llava" can be converted`);
  only("projector_hidden_act", raw.projector_hidden_act, ["gelu"]);
  const strategy = raw.vision_feature_select_strategy;
  only("vision_feature_select_strategy", strategy, ["default", "full"]);
  const vision = visionConfig(raw, strategy === "full");
  const imageTokenId = raw.image_token_index ?? raw.image_token_id;
  if (imageTokenId === undefined) throw bad("config.json has no image_token_index");
  const side = Math.floor(vision.imageSize / vision.patchSize);
  const aspect = raw.image_aspect_ratio;
  return {
    vision,
    text: textConfig(raw),
    projectorBias: raw.multimodal_projector_bias,
    imageTokenId,
    imageTokens: side * side + (vision.keepClass ? 1 : 0),
    imageAspect: aspect === "pad" || aspect === "crop" || aspect === "resize" ? aspect : undefined,
  };
}

function visionConfig(raw: RawConfig, keepClass: boolean): VisionConfig {
  const vision = raw.vision_config;
  only("vision_config.model_type", vision.model_type, ["clip_vision_model"]);
  const layer = raw.vision_feature_layer;
  if (typeof layer !== "number") throw bad("vision_feature_layer lists several layers; only one can be converted");
  const layers = layer < 0 ? vision.num_hidden_layers + 1 + layer : layer;
  if (layers < 0 || layers > vision.num_hidden_layers) {
    throw bad(`vision_feature_layer ${layer} is outside the tower's ${vision.num_hidden_layers} layers`);
  }
  const activation = vision.hidden_act;
  if (activation !== "quick_gelu" && activation !== "gelu") {
    throw bad(`vision_config.hidden_act is "${activation}"; known are quick_gelu, gelu`);
  }
  divides("vision_config", vision.hidden_size, vision.num_attention_heads);
  return {
    hidden: vision.hidden_size,
    ffn: vision.intermediate_size,
    heads: vision.num_attention_heads,
    channels: vision.num_channels,
    imageSize: vision.image_size,
    patchSize: vision.patch_size,
    epsilon: vision.layer_norm_eps,
    activation,
    layers,
    keepClass,
  };
}

function textConfig(raw: RawConfig): TextConfig {
  const text = raw.text_config;
  only("text_config.model_type", text.model_type, ["llama", "mistral"]);
  only("text_config.hidden_act", text.hidden_act, ["silu"]);
  if (text.model_type === "mistral" && text.sliding_window != null) {
    throw bad(`text_config.sliding_window is ${text.sliding_window}; only full attention can be converted`);
  }
  const kvHeads = text.num_key_value_heads ?? text.num_attention_heads;
  divides("text_config", text.num_attention_heads, kvHeads);
  if (text.head_dim == null) divides("text_config", text.hidden_size, text.num_attention_heads);
  const headSize = text.head_dim ?? text.hidden_size / text.num_attention_heads;
  if (headSize % 8 !== 0) throw bad(`the decoder's head size is ${headSize}; it must be a multiple of 8`);
  return {
    hidden: text.hidden_size,
    ffn: text.intermediate_size,
    layers: text.num_hidden_layers,
    heads: text.num_attention_heads,
    kvHeads,
    headSize,
    vocab: text.vocab_size,
    context: text.max_position_embeddings,
    epsilon: text.rms_norm_eps,
    attentionBias: text.attention_bias,
    mlpBias: text.mlp_bias,
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
  if (type !== "llama3") throw bad(`rotary scaling "${type}" is unknown; known are default, linear, llama3`);

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
  if (total % count !== 0) throw bad(`${part}: ${total} does not divide by ${count} heads`);
}

function only(field: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw bad(`${field} is "${value}"; known are ${known.join(", ")}`);
}

function bad(message: string): EngineError {
  return new EngineError("bad-checkpoint", message);
}
