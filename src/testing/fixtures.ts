// For tests: folders in memory and a tiny random LLaVA checkpoint, so that converting needs neither disk nor Python.
import { EngineError } from "#engine/errors.ts";
import type { CheckpointFolder, PackageFolder } from "#convert/checkpoint/folders.ts";
import { f32ToF16Bits } from "#formats/float.ts";

/** A checkpoint folder of these files. */
export function memoryCheckpoint(name: string, files: ReadonlyMap<string, Uint8Array | string>): CheckpointFolder {
  return {
    name,
    open(path) {
      const content = files.get(path);
      if (content === undefined) return Promise.resolve(undefined);
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      return Promise.resolve({
        bytes: bytes.length,
        read(offset, length) {
          if (offset + length > bytes.length) throw new EngineError("bad-checkpoint", `${path} is truncated`);
          return Promise.resolve(bytes.slice(offset, offset + length));
        },
      });
    },
  };
}

export interface MemoryPackage extends PackageFolder {
  readonly written: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly state: () => "open" | "committed" | "discarded";
}

/** A package folder that keeps what is written. */
export function memoryPackage(): MemoryPackage {
  const written = new Map<string, Uint8Array<ArrayBuffer>>();
  let state: "open" | "committed" | "discarded" = "open";
  return {
    written,
    state: () => state,
    create(path) {
      const parts: Uint8Array[] = [];
      return Promise.resolve({
        write(bytes) {
          parts.push(bytes.slice());
          return Promise.resolve();
        },
        close() {
          written.set(path, joined(parts));
          return Promise.resolve();
        },
      });
    },
    files: {
      blob(path) {
        const bytes = written.get(path);
        if (!bytes) return Promise.reject(new EngineError("bad-package", `no file ${path}`));
        return Promise.resolve(new Blob([bytes]));
      },
    },
    reserve: () => Promise.resolve(),
    commit() {
      state = "committed";
      return Promise.resolve();
    },
    discard() {
      state = "discarded";
      written.clear();
      return Promise.resolve();
    },
  };
}

/** One tensor to be written as safetensors. */
export interface TensorData {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The bytes of a safetensors file. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, TensorData>,
  dtype: "F32" | "F16" | "BF16" = "F32",
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    const bytes = encodeValues(values, dtype);
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    parts.push(bytes);
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return joined([length, text, ...parts]);
}

function encodeValues(values: Float32Array, dtype: "F32" | "F16" | "BF16"): Uint8Array {
  if (dtype === "F32") return new Uint8Array(values.slice().buffer);
  const half = new Uint16Array(values.length);
  const bits = new Uint32Array(values.slice().buffer);
  values.forEach((value, i) => (half[i] = dtype === "F16" ? f32ToF16Bits(value) : (bits[i] ?? 0) >>> 16));
  return new Uint8Array(half.buffer);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Sizes of the tiny checkpoint; small, but with every kind of part a big one has (and an ffn that is no multiple of a block). */
export const tiny = {
  vision: { hidden: 64, ffn: 96, layers: 3, heads: 2, image: 32, patch: 16 },
  text: { hidden: 64, ffn: 80, layers: 2, heads: 4, kvHeads: 2, headSize: 16, vocab: 80 },
} as const;

export type KeyLayout = "llava-hf" | "transformers";

/** config.json of the tiny checkpoint. */
export function tinyConfig(): Record<string, unknown> & {
  text_config: Record<string, unknown>;
  vision_config: Record<string, unknown>;
} {
  const { vision, text } = tiny;
  return {
    model_type: "llava",
    image_token_index: 4,
    vision_config: {
      model_type: "clip_vision_model",
      hidden_size: vision.hidden,
      intermediate_size: vision.ffn,
      num_hidden_layers: vision.layers,
      num_attention_heads: vision.heads,
      image_size: vision.image,
      patch_size: vision.patch,
    },
    text_config: {
      model_type: "llama",
      hidden_size: text.hidden,
      intermediate_size: text.ffn,
      num_hidden_layers: text.layers,
      num_attention_heads: text.heads,
      num_key_value_heads: text.kvHeads,
      head_dim: text.headSize,
      vocab_size: text.vocab,
      max_position_embeddings: 256,
      rms_norm_eps: 1e-5,
    },
  };
}

/** Every tensor of the tiny checkpoint, random but always the same. */
export function tinyTensors(layout: KeyLayout = "llava-hf"): Map<string, TensorData> {
  const { vision, text } = tiny;
  const [textAt, headAt, visionAt, projectorAt] =
    layout === "llava-hf"
      ? ["language_model.model.", "language_model.lm_head.", "vision_tower.vision_model.", "multi_modal_projector."]
      : ["model.language_model.", "lm_head.", "model.vision_tower.vision_model.", "model.multi_modal_projector."];
  const tensors = new Map<string, TensorData>();
  const random = randomNumbers(7);
  const add = (name: string, ...shape: number[]) => {
    const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
    const centre = /norm|layrnorm/.test(name) && name.endsWith("weight") ? 1 : 0;
    for (let i = 0; i < values.length; i++) values[i] = centre + 0.3 * (random() + random() - 1);
    tensors.set(name, { shape, values });
  };
  const linear = (name: string, rows: number, cols: number) => {
    add(`${name}.weight`, rows, cols);
    add(`${name}.bias`, rows);
  };
  add(`${visionAt}embeddings.class_embedding`, vision.hidden);
  add(`${visionAt}embeddings.patch_embedding.weight`, vision.hidden, 3, vision.patch, vision.patch);
  add(`${visionAt}embeddings.position_embedding.weight`, (vision.image / vision.patch) ** 2 + 1, vision.hidden);
  const norm = (name: string) => {
    add(`${name}.weight`, vision.hidden);
    add(`${name}.bias`, vision.hidden);
  };
  norm(`${visionAt}pre_layrnorm`);
  for (let i = 0; i < vision.layers; i++) {
    const at = `${visionAt}encoder.layers.${i}`;
    norm(`${at}.layer_norm1`);
    norm(`${at}.layer_norm2`);
    for (const name of ["q_proj", "k_proj", "v_proj", "out_proj"]) {
      linear(`${at}.self_attn.${name}`, vision.hidden, vision.hidden);
    }
    linear(`${at}.mlp.fc1`, vision.ffn, vision.hidden);
    linear(`${at}.mlp.fc2`, vision.hidden, vision.ffn);
  }
  linear(`${projectorAt}linear_1`, text.hidden, vision.hidden);
  linear(`${projectorAt}linear_2`, text.hidden, text.hidden);
  add(`${textAt}embed_tokens.weight`, text.vocab, text.hidden);
  for (let i = 0; i < text.layers; i++) {
    const at = `${textAt}layers.${i}`;
    add(`${at}.input_layernorm.weight`, text.hidden);
    add(`${at}.post_attention_layernorm.weight`, text.hidden);
    add(`${at}.self_attn.q_proj.weight`, text.heads * text.headSize, text.hidden);
    add(`${at}.self_attn.k_proj.weight`, text.kvHeads * text.headSize, text.hidden);
    add(`${at}.self_attn.v_proj.weight`, text.kvHeads * text.headSize, text.hidden);
    add(`${at}.self_attn.o_proj.weight`, text.hidden, text.heads * text.headSize);
    add(`${at}.mlp.gate_proj.weight`, text.ffn, text.hidden);
    add(`${at}.mlp.up_proj.weight`, text.ffn, text.hidden);
    add(`${at}.mlp.down_proj.weight`, text.hidden, text.ffn);
  }
  add(`${textAt}norm.weight`, text.hidden);
  add(`${headAt}weight`, text.vocab, text.hidden);
  return tensors;
}

/** The files of the tiny checkpoint; a test changes what it wants to see fail. */
export function tinyFiles(
  tensors: ReadonlyMap<string, TensorData> = tinyTensors(),
  config: unknown = tinyConfig(),
): Map<string, Uint8Array | string> {
  return new Map<string, Uint8Array | string>([
    ["config.json", JSON.stringify(config)],
    [
      "tokenizer.json",
      JSON.stringify({ version: "1.0", added_tokens: [], model: { type: "BPE", vocab: {}, merges: [] } }),
    ],
    ["tokenizer_config.json", JSON.stringify({ bos_token: "<s>", eos_token: "</s>" })],
    ["model.safetensors", encodeSafetensors(tensors)],
  ]);
}

/** Numbers in [0, 1) from a linear congruential generator. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
