// The language model in a checkpoint's config.json: `text_config`, with the frequencies of its rotary embedding.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { divides, only, positive, upTo, whole } from "./config-fields.ts";

export interface TextConfig {
  readonly hidden: number;
  readonly ffn: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocab: number;
  readonly context: number;
  /** max_position_embeddings; larger than `context` where a sliding window limits attention, to which the context is cut. */
  readonly statedContext: number;
  readonly epsilon: number;
  /** Biases of the query, key and value projections; `outBias` is that of the attention's output projection. */
  readonly qkvBias: boolean;
  readonly outBias: boolean;
  readonly mlpBias: boolean;
  readonly tiedHead: boolean;
  /** Rotary frequencies per pair of channels, f32. */
  readonly inverseFrequencies: Float32Array; // [headSize / 2]
}

const Rope = v.looseObject({
  rope_type: v.optional(v.string()),
  type: v.optional(v.string()),
  rope_theta: v.optional(positive),
  factor: v.optional(positive),
  low_freq_factor: v.optional(positive),
  high_freq_factor: v.optional(positive),
  original_max_position_embeddings: v.optional(positive),
});

/** `text_config`. */
export const Text = v.looseObject({
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

/** Defaults of Hugging Face's classes. */
const textDefaults = {
  llama: { ffn: 11008, vocab: 32000, context: 2048, kvHeads: undefined, window: undefined },
  mistral: { ffn: 14336, vocab: 32000, context: 131072, kvHeads: 8, window: 4096 },
  qwen2: { ffn: 22016, vocab: 151936, context: 32768, kvHeads: 32, window: undefined },
} as const;

/** The language model; `tiedHead` is what the outer config says of tied embeddings. */
export function textConfig(text: v.InferOutput<typeof Text>, tiedHead: boolean): TextConfig {
  const type = text.model_type;
  if (type !== "llama" && type !== "mistral" && type !== "qwen2") {
    throw badCheckpoint(`text_config.model_type is "${type}"; known are ${Object.keys(textDefaults).join(", ")}`);
  }
  only("text_config.hidden_act", text.hidden_act, ["silu"]);
  const defaults = textDefaults[type];
  const stated = text.max_position_embeddings ?? defaults.context;
  const window = text.sliding_window === undefined ? defaults.window : text.sliding_window;
  // Up to the window's length, windowed attention equals full attention.
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
    tiedHead: text.tie_word_embeddings || tiedHead,
    inverseFrequencies: inverseFrequencies(headSize, text),
  };
}

function inverseFrequencies(headSize: number, text: v.InferOutput<typeof Text>): Float32Array {
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
