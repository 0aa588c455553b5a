// The language model of a package as a GGUF file for llama.cpp, with the same weights: blocks of 32 at 4 bits with zero points are Q4_1, without
// them Q4_0, at 8 bits Q8_0; only the scales are rounded, to 16 bits. Decoders of Llama's kind with a byte-level tokenizer.
import type { PlannedMatrix } from "#engine/graph-walk.ts";
import { planLlama, type LlamaPlan } from "#engine/llama-plan.ts";
import { readOnnx, type OnnxGraph, type OnnxTensor } from "#engine/onnx-reader.ts";
import type { PackageFiles } from "#engine/types.ts";
import { f32ToF16Bits } from "#convert/float.ts";
import type { Manifest } from "#weights/manifest.ts";
import { encodeGguf, type GgufTensor, type GgufValue } from "./gguf.ts";

/** Throws where the package's decoder or tokenizer is of another kind. */
export async function ggufOf({
  files,
  info,
}: {
  readonly files: PackageFiles;
  readonly info: Manifest;
}): Promise<Blob> {
  const read = async (path: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await (await files.blob(path)).arrayBuffer());
  const bytesOf = async (folder: string, { data }: OnnxTensor): Promise<Uint8Array<ArrayBuffer>> => {
    if (data instanceof Uint8Array) return data;
    const blob = await files.blob(folder + data.file);
    return new Uint8Array(await blob.slice(data.offset, data.offset + data.bytes).arrayBuffer());
  };
  const { decoder, embed } = info.graphs;
  const folder = decoder.path.slice(0, decoder.path.lastIndexOf("/") + 1);
  const plan = planLlama(readOnnx(await read(decoder.path)));
  if (!plan) throw new Error(`${info.model.name}: no decoder of Llama's kind`);
  const tensors: GgufTensor[] = [];
  const vector = async (name: string, tensor: OnnxTensor): Promise<void> => {
    tensors.push({ name, type: "f32", dims: tensor.dims, data: await bytesOf(folder, tensor) });
  };
  const matrices = async (matrix: PlannedMatrix, parts: readonly Part[]): Promise<void> => {
    const whole = {
      data: await bytesOf(folder, matrix.data),
      scales: floats(await bytesOf(folder, matrix.scales)),
      zeros: matrix.zeroPoints && (await bytesOf(folder, matrix.zeroPoints)),
    };
    if (matrix.bias) throw new Error("biases are not written");
    for (const part of parts) tensors.push(blocksOf(matrix, whole, part));
  };

  tensors.push(await embeddingOf(readOnnx(await read(embed.path)), (tensor) => bytesOf(folder, tensor)));
  await vector("output_norm.weight", plan.finalNorm);
  await matrices(plan.head, [{ name: "output.weight", from: 0, rows: plan.vocab }]);
  const [queries, keys] = [plan.heads * plan.headSize, plan.kvHeads * plan.headSize];
  for (const [i, layer] of plan.layers.entries()) {
    const at = `blk.${i}`;
    await vector(`${at}.attn_norm.weight`, layer.attentionNorm);
    await matrices(layer.qkv, [
      { name: `${at}.attn_q.weight`, from: 0, rows: queries, turned: plan.headSize },
      { name: `${at}.attn_k.weight`, from: queries, rows: keys, turned: plan.headSize },
      { name: `${at}.attn_v.weight`, from: queries + keys, rows: keys },
    ]);
    await matrices(layer.out, [{ name: `${at}.attn_output.weight`, from: 0, rows: plan.hidden }]);
    await vector(`${at}.ffn_norm.weight`, layer.mlpNorm);
    await matrices(layer.gate, [{ name: `${at}.ffn_gate.weight`, from: 0, rows: plan.ffn }]);
    await matrices(layer.up, [{ name: `${at}.ffn_up.weight`, from: 0, rows: plan.ffn }]);
    await matrices(layer.down, [{ name: `${at}.ffn_down.weight`, from: 0, rows: plan.hidden }]);
  }
  const json = async (path: string): Promise<unknown> => JSON.parse(new TextDecoder().decode(await read(path)));
  const pairs = new Map([...modelPairs(plan, info), ...tokenizerPairs(await json("tokenizer.json"), plan.vocab)]);
  return encodeGguf(pairs, tensors);
}

/** Rows of a matrix that become a tensor; `turned`: llama.cpp turns neighbouring rows of a head where Hugging Face turns its halves. */
interface Part {
  readonly name: string;
  readonly from: number;
  readonly rows: number;
  readonly turned?: number;
}

interface Blocks {
  readonly data: Uint8Array;
  readonly scales: Float32Array;
  readonly zeros: Uint8Array | undefined;
}

function blocksOf({ bits, cols }: Pick<PlannedMatrix, "bits" | "cols">, whole: Blocks, part: Part): GgufTensor {
  const blocks = cols / 32;
  const hasMinimum = bits === 4 && whole.zeros !== undefined;
  const blockBytes = bits === 8 ? 34 : hasMinimum ? 20 : 18;
  const out = new Uint8Array(part.rows * blocks * blockBytes);
  const view = new DataView(out.buffer);
  const zeroBytes = bits === 4 ? Math.ceil(blocks / 2) : blocks;
  for (let i = 0; i < part.rows; i++) {
    const row = part.from + rowOf(i, part.turned);
    for (let b = 0; b < blocks; b++) {
      const block = row * blocks + b;
      const scale = whole.scales[block] ?? 0;
      const at = (i * blocks + b) * blockBytes;
      view.setUint16(at, f32ToF16Bits(scale), true);
      const from = block * 4 * bits;
      if (bits === 8) {
        const zero = whole.zeros?.[row * zeroBytes + b] ?? 128;
        for (let j = 0; j < 32; j++) view.setInt8(at + 2 + j, (whole.data[from + j] ?? 0) - zero);
        continue;
      }
      if (whole.zeros) {
        const both = whole.zeros[row * zeroBytes + (b >> 1)] ?? 0;
        view.setUint16(at + 2, f32ToF16Bits(-scale * (b & 1 ? both >> 4 : both & 15)), true);
      }
      // Theirs: the first half in the low nibbles, the second in the high ones; ours: neighbours in a byte.
      const nibble = (j: number): number => {
        const byte = whole.data[from + (j >> 1)] ?? 0;
        return j & 1 ? byte >> 4 : byte & 15;
      };
      const target = at + (hasMinimum ? 4 : 2);
      for (let j = 0; j < 16; j++) out[target + j] = nibble(j) | (nibble(j + 16) << 4);
    }
  }
  const type = bits === 8 ? "q8_0" : hasMinimum ? "q4_1" : "q4_0";
  return { name: part.name, type, dims: [part.rows, cols], data: out };
}

function rowOf(i: number, headSize: number | undefined): number {
  if (headSize === undefined) return i;
  const inHead = i % headSize;
  return i - inHead + (inHead & 1) * (headSize / 2) + (inHead >> 1);
}

async function embeddingOf(
  { nodes, tensors }: OnnxGraph,
  bytesOf: (tensor: OnnxTensor) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<GgufTensor> {
  const node = nodes.find(({ op }) => op === "GatherBlockQuantized");
  const [data, scales] = [tensors.get(node?.inputs[0] ?? ""), tensors.get(node?.inputs[2] ?? "")];
  const bits = node?.numbers.get("bits");
  const [rows, width] = data?.dims ?? [];
  if (!data || !scales || (bits !== 4 && bits !== 8) || rows === undefined || width === undefined) {
    throw new Error("no quantized embedding table");
  }
  const whole = { data: await bytesOf(data), scales: floats(await bytesOf(scales)), zeros: undefined };
  return blocksOf({ bits, cols: (width * 8) / bits }, whole, { name: "token_embd.weight", from: 0, rows });
}

function floats(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function modelPairs(plan: LlamaPlan, info: Manifest): [string, GgufValue][] {
  const u32 = (value: number): GgufValue => ({ type: "u32", value });
  // The second frequency is base^(−2 / headSize).
  const base = (plan.frequencies[1] ?? 1) ** (-plan.headSize / 2);
  return [
    ["general.architecture", { type: "string", value: "llama" }],
    ["general.name", { type: "string", value: info.model.name }],
    ["llama.context_length", u32(info.model.contextLength)],
    ["llama.embedding_length", u32(plan.hidden)],
    ["llama.block_count", u32(plan.layers.length)],
    ["llama.feed_forward_length", u32(plan.ffn)],
    ["llama.attention.head_count", u32(plan.heads)],
    ["llama.attention.head_count_kv", u32(plan.kvHeads)],
    ["llama.attention.key_length", u32(plan.headSize)],
    ["llama.attention.value_length", u32(plan.headSize)],
    ["llama.rope.dimension_count", u32(plan.headSize)],
    ["llama.rope.freq_base", { type: "f32", value: Math.round(base) }],
    ["llama.attention.layer_norm_rms_epsilon", { type: "f32", value: plan.epsilon }],
    ["llama.vocab_size", u32(plan.vocab)],
  ];
}

interface TokenizerJson {
  readonly model: {
    readonly type: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly [string, string])[];
  };
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
  readonly pre_tokenizer?: unknown;
  readonly post_processor?: unknown;
}

/** llama.cpp's numbers of token types. */
const tokenTypes = { normal: 1, control: 3, user: 4, unused: 5 };

function tokenizerPairs(json: unknown, vocab: number): [string, GgufValue][] {
  const tokenizer = json as TokenizerJson; // the engine has read the same file
  if (tokenizer.model.type !== "BPE") throw new Error(`a tokenizer of type ${tokenizer.model.type} is not written`);
  const tokens = Array.from({ length: vocab }, (_, id) => `[unused ${id}]`);
  const types = new Array<number>(vocab).fill(tokenTypes.unused);
  for (const [token, id] of Object.entries(tokenizer.model.vocab)) {
    tokens[id] = token;
    types[id] = tokenTypes.normal;
  }
  for (const { id, content, special } of tokenizer.added_tokens) {
    tokens[id] = content;
    types[id] = special ? tokenTypes.control : tokenTypes.user;
  }
  const idOf = (...names: string[]): number => Math.max(0, ...names.map((name) => tokens.indexOf(name)));
  const splitsDigits = JSON.stringify(tokenizer.pre_tokenizer).includes('"Digits"');
  const begins = JSON.stringify(tokenizer.post_processor ?? "").includes('"<s>"');
  return [
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: splitsDigits ? "smollm" : "gpt-2" }],
    ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "i32s", value: types }],
    [
      "tokenizer.ggml.merges",
      {
        type: "strings",
        value: tokenizer.model.merges.map((merge) => (typeof merge === "string" ? merge : merge.join(" "))),
      },
    ],
    ["tokenizer.ggml.bos_token_id", { type: "u32", value: idOf("<s>", "<|im_start|>") }],
    ["tokenizer.ggml.eos_token_id", { type: "u32", value: idOf("</s>", "<|im_end|>") }],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: begins }],
  ];
}
