// A random LLaVA whose decoder has the shapes that the decoder's own kernel asks for, converted in memory.
import { readFile } from "node:fs/promises";
import { convert } from "#convert/convert.ts";
import type { Bits } from "#convert/onnx/weight-ops.ts";
import type { Scheme } from "#convert/quantize/quantize.ts";
import { memoryCheckpoint, memoryPackage, randomNumbers, tinyConfig, tinyFiles, tinyTensors } from "./fixtures.ts";

/** Shapes that the decoder kernel takes, as small as they get. */
export const decoderSizes = { hidden: 64, ffn: 96, layers: 3, heads: 6, kvHeads: 2, headSize: 32, vocab: 4096 };

/** Decoders by name: their class, and what their config says beside the sizes. Windows are shorter than tests' prompts and fill no blocks of 64. */
const architectures = {
  llama: {},
  qwen2: {},
  mistral: { sliding_window: 75 },
  qwen3: { use_sliding_window: true, sliding_window: 21, max_window_layers: 2 },
  gemma: { tie_word_embeddings: false },
  gemma2: {
    sliding_window: 75,
    query_pre_attn_scalar: 24,
    attn_logit_softcapping: 4,
    final_logit_softcapping: 6,
    tie_word_embeddings: false,
  },
} as const;
export type ShapedArchitecture = keyof typeof architectures;

/** A package with a random decoder of these shapes behind the tiny vision tower, converted in memory. Weights are the same at every call. */
export async function shapedDecoder(
  bits: Bits,
  scheme: Scheme,
  architecture: ShapedArchitecture = "llama",
  adaptable = false,
) {
  const { hidden, ffn, layers, heads, kvHeads, headSize, vocab } = decoderSizes;
  const config = tinyConfig();
  Object.assign(config.text_config, {
    model_type: architecture,
    intermediate_size: ffn,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headSize,
    max_position_embeddings: 512,
    vocab_size: vocab,
    ...architectures[architecture],
  });
  const tensors = new Map([...tinyTensors()].filter(([name]) => !name.includes("model.layers.")));
  const random = randomNumbers(11);
  const add = (name: string, ...shape: number[]) => {
    const values = Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () => {
      // Gemma's norms add 1 themselves.
      const one = shape.length === 1 && name.endsWith("weight") && !architecture.startsWith("gemma");
      return (one ? 1 : 0) + 0.4 * (random() + random() - 1);
    });
    tensors.set(`language_model.${name}`, { shape, values });
  };
  add("model.embed_tokens.weight", vocab, hidden);
  add("lm_head.weight", vocab, hidden);
  for (let i = 0; i < layers; i++) {
    add(`model.layers.${i}.input_layernorm.weight`, hidden);
    add(`model.layers.${i}.post_attention_layernorm.weight`, hidden);
    if (architecture === "gemma2") {
      add(`model.layers.${i}.pre_feedforward_layernorm.weight`, hidden);
      add(`model.layers.${i}.post_feedforward_layernorm.weight`, hidden);
    }
    if (architecture === "qwen3") {
      add(`model.layers.${i}.self_attn.q_norm.weight`, headSize);
      add(`model.layers.${i}.self_attn.k_norm.weight`, headSize);
    }
    for (const [name, count] of [
      ["q", heads],
      ["k", kvHeads],
      ["v", kvHeads],
    ] as const) {
      add(`model.layers.${i}.self_attn.${name}_proj.weight`, count * headSize, hidden);
      if (architecture === "qwen2") add(`model.layers.${i}.self_attn.${name}_proj.bias`, count * headSize);
    }
    add(`model.layers.${i}.self_attn.o_proj.weight`, hidden, heads * headSize);
    add(`model.layers.${i}.mlp.gate_proj.weight`, ffn, hidden);
    add(`model.layers.${i}.mlp.up_proj.weight`, ffn, hidden);
    add(`model.layers.${i}.mlp.down_proj.weight`, hidden, ffn);
  }
  const checkpoint = tinyFiles(tensors, config);
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    checkpoint.set(name, await readFile(new URL(`../../public/models/pocket-llava/${name}`, import.meta.url), "utf8"));
  }
  const to = memoryPackage();
  const info = await convert(memoryCheckpoint("shaped", checkpoint), to, {
    bits: { vision: 32, embed: 32, decoder: bits },
    ...{ scheme, adaptable },
  });
  return { info, files: to.files };
}
