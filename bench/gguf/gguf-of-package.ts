// The language model of a package as a GGUF file for llama.cpp, with the same weights. Decoders of Llama's kind with a byte-level tokenizer.
import { readJson } from "#engine/model/config.ts";
import { planLlama, type LlamaPlan } from "#engine/kernel/llama-plan.ts";
import type { PackageFiles } from "#engine/types.ts";
import type { Manifest } from "#weights/manifest.ts";
import { encodeGguf, type GgufTensor, type GgufValue } from "./gguf.ts";
import { GraphWeights } from "./gguf-weights.ts";

/** Throws where the package's decoder or tokenizer is of another kind. */
export async function ggufOf({
  files,
  info,
}: {
  readonly files: PackageFiles;
  readonly info: Manifest;
}): Promise<Blob> {
  const { decoder, embed } = info.graphs;
  const weights = await GraphWeights.open(files, decoder.path);
  const plan = planLlama(weights.graph);
  if (!plan) throw new Error(`${info.model.name}: no decoder of Llama's kind`);
  await weights.floats("output_norm.weight", plan.finalNorm);
  await weights.matrix(plan.head, [{ name: "output", from: 0, rows: plan.vocab }]);
  const [queries, keys] = [plan.heads * plan.headSize, plan.kvHeads * plan.headSize];
  for (const [i, layer] of plan.layers.entries()) {
    const at = `blk.${i}`;
    await weights.floats(`${at}.attn_norm.weight`, layer.attentionNorm);
    await weights.matrix(layer.qkv, [
      { name: `${at}.attn_q`, from: 0, rows: queries, turned: plan.headSize },
      { name: `${at}.attn_k`, from: queries, rows: keys, turned: plan.headSize },
      { name: `${at}.attn_v`, from: queries + keys, rows: keys },
    ]);
    await weights.matrix(layer.out, [{ name: `${at}.attn_output`, from: 0, rows: plan.hidden }]);
    await weights.floats(`${at}.ffn_norm.weight`, layer.mlpNorm);
    await weights.matrix(layer.gate, [{ name: `${at}.ffn_gate`, from: 0, rows: plan.ffn }]);
    await weights.matrix(layer.up, [{ name: `${at}.ffn_up`, from: 0, rows: plan.ffn }]);
    await weights.matrix(layer.down, [{ name: `${at}.ffn_down`, from: 0, rows: plan.hidden }]);
  }
  const embeddings = await embeddingsOf(await GraphWeights.open(files, embed.path));
  const tokenizer = await readJson(files, "tokenizer.json");
  const pairs = new Map([...modelPairs(plan, info), ...tokenizerPairs(tokenizer, plan.vocab)]);
  return encodeGguf(pairs, [...embeddings, ...weights.tensors]);
}

async function embeddingsOf(weights: GraphWeights): Promise<readonly GgufTensor[]> {
  const { nodes, tensors } = weights.graph;
  const node = nodes.find(({ op }) => op === "GatherBlockQuantized");
  const [data, scales] = [tensors.get(node?.inputs[0] ?? ""), tensors.get(node?.inputs[2] ?? "")];
  const bits = node?.numbers.get("bits");
  const [rows, width] = data?.dims ?? [];
  if (!data || !scales || (bits !== 4 && bits !== 8) || rows === undefined || width === undefined) {
    throw new Error("no quantized embedding table");
  }
  const table = { bits, cols: (width * 8) / bits, data, scales, zeroPoints: undefined, bias: undefined } as const;
  await weights.matrix(table, [{ name: "token_embd", from: 0, rows }]);
  return weights.tensors;
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
