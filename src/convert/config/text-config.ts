// The language model in a checkpoint's config.json: `text_config`, with the defaults of transformers' classes. What the decoders that are
// known do differently from Llama are fields here, so that graphs and kernels need no names.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import { divides, number, only, positive, upTo, whole } from "./config-fields.ts";
import { Rope, rotary } from "./rope.ts";
import { attentionWindows } from "./windows.ts";

type TextActivation = "silu" | "gelu_tanh" | "gelu";

export interface TextConfig {
  /** Hugging Face's name of the decoder, "qwen3". */
  readonly type: string;
  readonly hidden: number;
  readonly ffn: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocab: number;
  readonly context: number;
  /** max_position_embeddings; larger than `context` where the rotary embedding has other frequencies for longer texts. */
  readonly statedContext: number;
  readonly epsilon: number;
  /** Biases of the query, key and value projections; `outBias` is that of the attention's output projection. */
  readonly qkvBias: boolean;
  readonly outBias: boolean;
  readonly mlpBias: boolean;
  readonly tiedHead: boolean;
  /** Of the gate. */
  readonly activation: TextActivation;
  /** Whether each head's queries and keys are normalized before they are rotated (Qwen3). */
  readonly qkNorm: boolean;
  /** Whether norms' weights are kept as what is to be added to 1 (Gemma). */
  readonly normsAroundOne: boolean;
  /** Whether attention and MLP are normalized before they are added, too (Gemma 2). */
  readonly postNorms: boolean;
  /** What embeddings of words are multiplied with (Gemma: √hidden); `pictureScale` is the same for rows of pictures. */
  readonly embedScale: number;
  readonly pictureScale: number;
  /** What products of queries and keys are multiplied with; the rotary embedding's own factor is in it. */
  readonly attentionScale: number;
  /** c of c · tanh(x / c), for scores of attention and for logits (Gemma 2). */
  readonly attentionCap: number | undefined;
  readonly logitCap: number | undefined;
  /** Per layer, how many positions each one sees, itself included; undefined: all before it. */
  readonly windows: readonly (number | undefined)[];
  /** Rotary frequencies per pair of channels, f32. */
  readonly inverseFrequencies: Float32Array; // [headSize / 2]
}

const cap = v.nullish(positive);

/** `text_config`. */
export const Text = v.looseObject({
  model_type: v.optional(v.string(), "llama"),
  hidden_size: v.optional(whole),
  intermediate_size: v.optional(upTo(2 ** 20)),
  num_hidden_layers: v.optional(upTo(1024)),
  num_attention_heads: v.optional(upTo(1024)),
  num_key_value_heads: v.nullish(upTo(1024)),
  head_dim: v.nullish(upTo(4096)),
  vocab_size: v.optional(upTo(2 ** 22)),
  max_position_embeddings: v.optional(upTo(2 ** 24)),
  original_max_position_embeddings: v.nullish(upTo(2 ** 24)),
  rms_norm_eps: v.optional(positive),
  hidden_act: v.nullish(v.string()),
  hidden_activation: v.nullish(v.string()),
  attention_bias: v.optional(v.boolean(), false),
  mlp_bias: v.optional(v.boolean(), false),
  sliding_window: v.nullish(upTo(2 ** 24)),
  use_sliding_window: v.optional(v.boolean(), false),
  max_window_layers: v.nullish(number),
  layer_types: v.nullish(v.pipe(v.array(v.string()), v.maxLength(1024))),
  query_pre_attn_scalar: v.nullish(positive),
  attn_logit_softcapping: cap,
  final_logit_softcapping: cap,
  use_bidirectional_attention: v.nullish(v.boolean()),
  tie_word_embeddings: v.optional(v.boolean()),
  rope_theta: v.optional(positive, 10000),
  partial_rotary_factor: v.nullish(positive),
  rope_scaling: v.nullish(Rope),
  rope_parameters: v.nullish(Rope),
});

/** Sizes where a config leaves them out, by Hugging Face's classes. */
interface TextDefaults {
  readonly hidden: number;
  readonly ffn: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads?: number;
  readonly headSize?: number;
  readonly vocab: number;
  readonly context: number;
  readonly epsilon?: number;
}

const textDefaults: Readonly<Record<string, TextDefaults>> = {
  llama: { hidden: 4096, ffn: 11008, layers: 32, heads: 32, vocab: 32000, context: 2048 },
  mistral: { hidden: 4096, ffn: 14336, layers: 32, heads: 32, kvHeads: 8, vocab: 32000, context: 131072 },
  qwen2: { hidden: 4096, ffn: 22016, layers: 32, heads: 32, kvHeads: 32, vocab: 151936, context: 32768 },
  qwen3: { hidden: 4096, ffn: 22016, layers: 32, heads: 32, kvHeads: 32, headSize: 128, vocab: 151936, context: 32768 },
  phi3: { hidden: 3072, ffn: 8192, layers: 32, heads: 32, vocab: 32064, context: 4096, epsilon: 1e-5 },
  gemma: { hidden: 3072, ffn: 24576, layers: 28, heads: 16, kvHeads: 16, headSize: 256, vocab: 256000, context: 8192 },
  gemma2: { hidden: 2304, ffn: 9216, layers: 26, heads: 8, kvHeads: 4, headSize: 256, vocab: 256000, context: 8192 },
};

/** The decoders that can be converted, for messages. */
export const knownDecoders = "Llama (Vicuna, Yi), Mistral, Qwen2, Qwen3, Phi-3, Gemma and Gemma 2";

const activations: Readonly<Record<string, TextActivation>> = {
  silu: "silu",
  swish: "silu",
  gelu_pytorch_tanh: "gelu_tanh",
  gelu_new: "gelu_tanh",
  gelu: "gelu",
};

/** What the outer config says of the language model. */
export interface OuterConfig {
  readonly tiedHead: boolean;
  /** Whether rows of pictures are multiplied with the factor of words, as Gemma's classes did up to transformers 5.3. */
  readonly scalesPictures: boolean;
}

/** The language model; throws EngineError("bad-checkpoint") that names what is not supported. */
export function textConfig(text: v.InferOutput<typeof Text>, outer: OuterConfig): TextConfig {
  const type = text.model_type;
  const defaults = textDefaults[type];
  if (!defaults) throw badCheckpoint(unknownDecoder(type));
  if (text.use_bidirectional_attention === true) {
    throw badCheckpoint("text_config.use_bidirectional_attention is true: only decoders that look back are supported");
  }
  const gemma = type === "gemma" || type === "gemma2";
  const stated = text.max_position_embeddings ?? defaults.context;
  const hidden = text.hidden_size ?? defaults.hidden;
  const layers = text.num_hidden_layers ?? defaults.layers;
  const heads = text.num_attention_heads ?? defaults.heads;
  const kvHeads = text.num_key_value_heads ?? defaults.kvHeads ?? heads;
  divides("text_config", heads, kvHeads);
  const statedHead = text.head_dim ?? defaults.headSize;
  if (statedHead === undefined) divides("text_config", hidden, heads);
  const headSize = statedHead ?? hidden / heads;
  if (headSize % 16 !== 0) throw badCheckpoint(`the decoder's head size is ${headSize}; it must be a multiple of 16`);
  const rope = ropeOf(type, text);
  const positions = rotary({
    theta: rope.rope_theta ?? text.rope_theta,
    headSize,
    context: stated,
    originalContext: text.original_max_position_embeddings ?? undefined,
    partial: text.partial_rotary_factor ?? undefined,
    rope,
  });
  const scoreSize = type === "gemma2" ? (text.query_pre_attn_scalar ?? 256) : headSize;
  const bias = (type === "llama" || type === "qwen3" || gemma) && text.attention_bias;
  const embedScale = gemma ? Math.sqrt(hidden) : 1;
  return {
    type,
    hidden,
    ffn: text.intermediate_size ?? defaults.ffn,
    layers,
    heads,
    kvHeads,
    headSize,
    vocab: text.vocab_size ?? defaults.vocab,
    context: positions.context,
    statedContext: stated,
    epsilon: text.rms_norm_eps ?? defaults.epsilon ?? 1e-6,
    qkvBias: bias || type === "qwen2",
    outBias: bias,
    mlpBias: type === "llama" && text.mlp_bias,
    tiedHead: (text.tie_word_embeddings ?? gemma) || outer.tiedHead,
    activation: activationOf(type, text),
    qkNorm: type === "qwen3",
    normsAroundOne: gemma,
    postNorms: type === "gemma2",
    embedScale,
    pictureScale: outer.scalesPictures ? embedScale : 1,
    attentionScale: positions.factor ** 2 / Math.sqrt(scoreSize),
    attentionCap: type === "gemma2" ? capOf(text.attn_logit_softcapping, 50) : undefined,
    logitCap: type === "gemma2" ? capOf(text.final_logit_softcapping, 30) : undefined,
    windows: attentionWindows(type, layers, positions.context, text),
    inverseFrequencies: positions.frequencies,
  };
}

/** Phi-3's first files call LongRoPE "yarn". */
function ropeOf(type: string, text: v.InferOutput<typeof Text>): v.InferOutput<typeof Rope> {
  const rope = { ...text.rope_scaling, ...text.rope_parameters };
  return type === "phi3" && (rope.rope_type ?? rope.type) === "yarn" ? { ...rope, rope_type: "longrope" } : rope;
}

/** null turns a cap off; left out, it has the class's default. */
function capOf(stated: number | null | undefined, byDefault: number): number | undefined {
  return stated === undefined ? byDefault : (stated ?? undefined);
}

function activationOf(type: string, text: v.InferOutput<typeof Text>): TextActivation {
  const gemma = type === "gemma" || type === "gemma2";
  // Gemma's first files say "gelu" and mean its tanh form, which their newer field then names.
  const name = gemma ? (text.hidden_activation ?? "gelu_pytorch_tanh") : (text.hidden_act ?? "silu");
  const field = `text_config.${gemma ? "hidden_activation" : "hidden_act"}`;
  only(field, name, gemma ? Object.keys(activations) : ["silu", "swish"]);
  return activations[name] ?? "silu";
}

function unknownDecoder(type: string): string {
  return (
    `text_config.model_type is "${type}", a decoder that is not supported; known are ${knownDecoders}. ` +
    "Take a LLaVA on one of these, or let a server run this one and connect the page to it"
  );
}
