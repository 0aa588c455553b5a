// The language model of a GGUF file as Hugging Face's text_config would have it. Knows llama.cpp's keys.
import type { JsonObject } from "#convert/checkpoint/json-file.ts";
import type { Gguf } from "./open-gguf.ts";

/** Hugging Face's model types by llama.cpp's architectures. Mistral and Yi are "llama" in both senses. */
const modelTypes: Readonly<Record<string, string>> = {
  llama: "llama",
  qwen2: "qwen2",
  qwen3: "qwen3",
  phi3: "phi3",
  gemma: "gemma",
  gemma2: "gemma2",
};

/** `general.architecture`, which has to be one whose language models are known here. */
function architectureOf({ metadata }: Gguf): string {
  const found = metadata.textIn("general.architecture");
  if (found !== undefined && found in modelTypes) return found;
  if (found === "clip") {
    throw metadata.wrong("is a projector (mmproj) and no language model; give the model first, and this with --mmproj");
  }
  const what =
    found === undefined ? "names no architecture" : `is of the architecture "${found}", which can't be converted`;
  throw metadata.wrong(`${what}; known are ${Object.keys(modelTypes).join(", ")}`);
}

/** Sizes of the model's parts that the tensors' names and rows depend on. */
export interface DecoderShape {
  readonly architecture: string;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocab: number;
}

export function decoderShape(gguf: Gguf): DecoderShape {
  const { metadata, tensors } = gguf;
  const architecture = architectureOf(gguf);
  const key = (name: string): string => `${architecture}.${name}`;
  if ((metadata.numberIn(key("expert_count")) ?? 0) > 0)
    throw metadata.wrong("is a mixture of experts, which can't be converted");
  const hidden = metadata.number(key("embedding_length"));
  const heads = metadata.number(key("attention.head_count"));
  const headSize = metadata.numberIn(key("attention.key_length")) ?? hidden / heads;
  const turned = metadata.numberIn(key("rope.dimension_count")) ?? headSize;
  if (turned !== headSize)
    throw metadata.wrong(`turns ${turned} of a head's ${headSize} channels, which can't be converted`);
  return {
    architecture,
    hidden,
    layers: metadata.number(key("block_count")),
    heads,
    kvHeads: metadata.numberIn(key("attention.head_count_kv")) ?? heads,
    headSize,
    vocab: tensors.get("token_embd.weight")?.shape[0] ?? metadata.number(key("vocab_size")),
  };
}

/** `text_config`. Reads the few numbers that stretch rotary positions. */
export async function textConfigOf(gguf: Gguf, shape: DecoderShape): Promise<JsonObject> {
  const { metadata, tensors } = gguf;
  const key = (name: string): string => `${shape.architecture}.${name}`;
  const window = metadata.numberIn(key("attention.sliding_window"));
  const context = metadata.number(key("context_length"));
  return {
    model_type: modelTypes[shape.architecture],
    hidden_size: shape.hidden,
    intermediate_size: metadata.number(key("feed_forward_length")),
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headSize,
    vocab_size: shape.vocab,
    max_position_embeddings: context,
    rms_norm_eps: metadata.number(key("attention.layer_norm_rms_epsilon")),
    attention_bias: shape.architecture === "llama" && tensors.has("blk.0.attn_q.bias"),
    tie_word_embeddings: !tensors.has("output.weight"),
    rope_theta: metadata.numberIn(key("rope.freq_base")) ?? 10000,
    ...(await ropeScaling(gguf, key)),
    ...(window === undefined || window >= context ? {} : { sliding_window: window, use_sliding_window: true }),
    ...(shape.architecture === "gemma2" ? gemma2Fields(gguf, shape, key) : {}),
  };
}

/** What Gemma 2 does with scores and logits. llama.cpp tells how scores are scaled by the number of layers: only 27B differs. */
function gemma2Fields({ metadata }: Gguf, shape: DecoderShape, key: (name: string) => string): JsonObject {
  const attention = metadata.numberIn(key("attn_logit_softcapping"));
  const final = metadata.numberIn(key("final_logit_softcapping"));
  return {
    query_pre_attn_scalar: shape.layers === 46 ? shape.hidden / shape.heads : shape.headSize,
    ...(attention === undefined ? {} : { attn_logit_softcapping: attention }),
    ...(final === undefined ? {} : { final_logit_softcapping: final }),
  };
}

async function ropeScaling(gguf: Gguf, key: (name: string) => string): Promise<JsonObject> {
  const { metadata, tensors } = gguf;
  const llama3 = tensors.get("rope_freqs.weight");
  if (llama3) return { rope_scaling: llama3Scaling(gguf, await llama3.read(0, llama3.shape[0] ?? 0), key) };
  const [long, short] = ["long", "short"].map((name) => tensors.get(`rope_factors_${name}.weight`));
  const original = metadata.numberIn(key("rope.scaling.original_context_length"));
  if (long && short) {
    const factors = async (tensor: typeof long) => [...(await tensor.read(0, tensor.shape[0] ?? 0))];
    const attention = metadata.numberIn(key("rope.scaling.attn_factor"));
    return {
      rope_scaling: {
        rope_type: "longrope",
        long_factor: await factors(long),
        short_factor: await factors(short),
        ...(original === undefined ? {} : { original_max_position_embeddings: original }),
        ...(attention === undefined ? {} : { attention_factor: attention }),
      },
      ...(original === undefined ? {} : { original_max_position_embeddings: original }),
    };
  }
  const factor = metadata.numberIn(key("rope.scaling.factor")) ?? metadata.numberIn(key("rope.scale_linear")) ?? 1;
  const type = metadata.textIn(key("rope.scaling.type")) ?? "linear";
  if (type === "none" || (factor === 1 && type === "linear")) return {};
  return {
    rope_scaling: {
      rope_type: type,
      factor,
      ...(original === undefined ? {} : { original_max_position_embeddings: original }),
    },
  };
}

/** The scaling of Llama 3.1 and later; it is fixed but for the factor, and the file has what comes of it for every frequency. */
function llama3Scaling({ metadata }: Gguf, divisors: Float32Array, key: (name: string) => string): JsonObject {
  const scaling = {
    factor: Math.max(...divisors),
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = scaling;
  const theta = metadata.numberIn(key("rope.freq_base")) ?? 10000;
  divisors.forEach((divisor, i) => {
    const turns = (original * theta ** (-i / divisors.length)) / (2 * Math.PI);
    const smooth = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    const expected = 1 / ((1 - smooth) / factor + smooth);
    if (Math.abs(divisor - expected) > 1e-3 * factor) {
      throw metadata.wrong("has rope_freqs.weight that are not those of Llama 3, which can't be converted");
    }
  });
  return { rope_type: "llama3", ...scaling };
}
