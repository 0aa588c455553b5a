// Runs the layers of a decoder of Llama's kind on this project's own WebAssembly kernel (kernels/llama.ts): several threads over one memory that
// holds the weights as they are in the package, the keys and values in blocks of 64 positions, and the rows being computed.
// Knows no runtime and no tokens; its host starts the helper threads.
import { EngineError } from "#engine/errors.ts";
import { llamaKernelBytes } from "./llama-kernel.ts";
import type { LlamaPlan } from "./llama-plan.ts";
import { loraBytes, packLora, tableOf, type LlamaLora } from "./lora-room.ts";
import * as activations from "#engine/kernel/layout/activations.ts";
import * as layout from "#engine/kernel/layout/llama-header.ts";
import * as layerLayout from "#engine/kernel/layout/llama-layer.ts";
import { attendedRows, kvBlockRows, stateHeadBytes } from "#engine/kernel/layout/sizes.ts";
import type { OnnxTensor } from "#formats/onnx-reader.ts";
import { floatWord, KernelMemory, tableWords, unpackedBytes, type KernelHelpers, type WeightFiles } from "./memory.ts";

/** The layers with their weights, and the keys and values of one sequence. One run at a time. */
export interface Llama {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headSize: number;
  /** Makes room for the keys and values of `rows` rows in all; throws "context-full" beyond the context. */
  reserve(rows: number): void;
  /**
   * Runs `embeds` [rows, hidden] at the positions from `start` on and returns the logits [vocab] after each of the last `keep` of them. Reads
   * the keys and values of all positions before `start`; `reserve` must have made room.
   */
  run(embeds: Float32Array, start: number, keep: number): Float32Array[];
  /** Keys (`tensor` 2 · layer) or values (2 · layer + 1) of the first rows, [kvHeads, rows, headSize]. */
  readRows(tensor: number, rows: number): Float32Array<ArrayBuffer>;
  /** Writes rows [from, to) of such a tensor [kvHeads, to, headSize]; `reserve` must have made room. */
  writeRows(tensor: number, values: Float32Array, from: number, to: number): void;
  /**
   * Goes on with this LoRA, or with none; what the cache holds is of no use afterwards. Resolves with false, and changes nothing, where there is
   * not enough room for it: then the layers have to be loaded again for it.
   */
  setLora(lora: LlamaLora | undefined): Promise<boolean>;
  release(): void;
}

/** Rows of one run of the kernel; rows with logits of one run: a longest draft and the token before it. */
const [mostRows, mostKept] = [256, 17];

export interface LlamaOptions extends WeightFiles {
  readonly plan: LlamaPlan;
  readonly contextLength: number;
  readonly helpers: KernelHelpers | undefined;
  /** A LoRA to begin with. Others that take no more room may be set in its place. */
  readonly lora?: LlamaLora | undefined;
}

/** Reads the weights into a new memory; rejects with "out-of-memory" where they do not fit. Longer than most functions: a closure over that memory. */
export async function loadLlama(options: LlamaOptions): Promise<Llama> {
  const { plan, contextLength, helpers, lora: firstLora } = options;
  const { hidden, kvHeads, headSize } = plan;
  const memory = new KernelMemory();
  const kvBlockBytes = plan.layers.length * 2 * kvHeads * kvBlockRows * headSize * 4;
  const kvBlocks = Math.ceil(contextLength / kvBlockRows);
  const { fields, layerWords, headWords } = layOut(memory, plan, kvBlocks, 1 + (helpers?.count ?? 0));
  const loraRoom = firstLora ? loraBytes(plan, firstLora, mostRows) : 0;
  const loraAt = memory.place(loraRoom);
  await memory.make(kvBlocks * kvBlockBytes, options);
  memory.fields(layout, { ...fields, loraRoom: firstLora ? 1 : 0 });
  memory.words(fields.layerTable, layerWords);
  memory.words(fields.head, headWords);
  const setLora = async (lora: LlamaLora | undefined): Promise<boolean> => {
    if (lora && (!firstLora || loraBytes(plan, lora, mostRows) > loraRoom)) return false;
    const packed = lora && (await packLora(plan, lora, mostRows, loraAt));
    if (packed) memory.bytes.set(packed.bytes, loraAt);
    for (const { at, word } of tableOf(plan, fields.layerTable, packed)) memory.words(at, [word]);
    return true;
  };
  await setLora(firstLora);
  const team = await memory.start(llamaKernelBytes(), helpers);

  let blocks = 0;
  /** Runs at most `mostRows` rows, and at most `mostKept` with logits. */
  const runRows = (embeds: Float32Array, start: number, keep: number): Float32Array[] => {
    const rows = embeds.length / hidden;
    const { floats } = memory;
    floats.set(embeds, fields.stream >> 2);
    writeRotary(floats, fields.rotary >> 2, plan, start, rows);
    memory.field(layout.rows, rows);
    memory.field(layout.start, start);
    memory.field(layout.keep, keep);
    team.run();
    return Array.from({ length: keep }, (_, i) => {
      const at = (fields.logits >> 2) + i * plan.vocab;
      return capped(floats.slice(at, at + plan.vocab), plan.logitCap);
    });
  };
  const kvAddresses = (): Int32Array => new Int32Array(memory.memory.buffer, fields.kvBlocks, kvBlocks);

  return {
    layers: plan.layers.length,
    kvHeads,
    headSize,
    reserve(rows) {
      for (; blocks * kvBlockRows < rows; blocks++) {
        if (blocks === kvBlocks) throw new EngineError("context-full", `${rows} rows do not fit ${contextLength}`);
        memory.words(fields.kvBlocks + blocks * 4, [memory.place(kvBlockBytes)]);
      }
    },
    run(embeds, start, keep) {
      const count = embeds.length / hidden;
      const logits: Float32Array[] = [];
      const step = keep > 1 ? mostKept : mostRows;
      for (let from = 0; from < count; from += step) {
        const to = Math.min(from + step, count);
        const wanted = Math.max(1, to - Math.max(from, count - keep));
        const found = runRows(embeds.subarray(from * hidden, to * hidden), start + from, wanted);
        if (keep > 1) logits.push(...found);
        else logits.splice(0, 1, ...found);
      }
      return logits.slice(-keep);
    },
    readRows(tensor, rows) {
      const { floats } = memory;
      const values = new Float32Array(kvHeads * rows * headSize);
      eachKvRun(plan, kvAddresses(), tensor, 0, rows, rows, (at, to, count) => {
        values.set(floats.subarray(at, at + count), to);
      });
      return values;
    },
    writeRows(tensor, values, from, to) {
      const { floats } = memory;
      eachKvRun(plan, kvAddresses(), tensor, from, to, to, (at, source, count) => {
        floats.set(values.subarray(source, source + count), at);
      });
    },
    setLora,
    release: () => team.release(),
  };
}

const gates: Readonly<Record<LlamaPlan["activation"], number>> = {
  silu: activations.silu,
  gelu_tanh: activations.geluTanh,
  gelu: activations.gelu,
};

/** cap · tanh(x / cap) for each of the logits, in place. */
function capped(logits: Float32Array, cap: number | undefined): Float32Array {
  if (cap === undefined) return logits;
  for (let i = 0; i < logits.length; i++) logits[i] = cap * Math.tanh((logits[i] ?? 0) / cap);
  return logits;
}

/** Where everything but the keys and values goes, and the tables that say so. */
function layOut(memory: KernelMemory, plan: LlamaPlan, kvBlocks: number, threads: number) {
  const { hidden, ffn, heads, kvHeads, headSize, vocab } = plan;
  const attended = heads * headSize;
  const place = (bytes: number): number => memory.place(bytes);
  const placeNorm = (norm: OnnxTensor | undefined): number => (norm ? memory.placeTensor(norm) : 0);
  const layerWords = plan.layers.flatMap((layer) =>
    tableWords(layerLayout, {
      attentionNorm: memory.placeTensor(layer.attentionNorm),
      mlpNorm: memory.placeTensor(layer.mlpNorm),
      attentionPostNorm: placeNorm(layer.attentionPostNorm),
      mlpPostNorm: placeNorm(layer.mlpPostNorm),
      queryNorm: placeNorm(layer.queryNorm),
      keyNorm: placeNorm(layer.keyNorm),
      window: layer.window ?? 0,
      qkv: memory.matrixWords(layer.qkv),
      out: memory.matrixWords(layer.out),
      gate: memory.matrixWords(layer.gate),
      up: memory.matrixWords(layer.up),
      down: memory.matrixWords(layer.down),
      // Written by setLora.
      ...{ qkvLora: 0, outLora: 0, gateLora: 0, upLora: 0, downLora: 0 },
    }),
  );
  const headWords = memory.matrixWords(plan.head);
  const matmulScratch = unpackedBytes(Math.max(hidden, ffn, attended)) + mostRows * 256;
  const attentionScratch = kvBlockRows * 4 + attendedRows * (heads / kvHeads) * (headSize * 4 + stateHeadBytes);
  const scratchBytes = Math.ceil(Math.max(matmulScratch, attentionScratch) / 64) * 64;
  const fields: Record<Exclude<keyof typeof layout, "loraRoom">, number> = {
    rows: 0,
    start: 0,
    keep: 1,
    hidden,
    ffn,
    heads,
    kvHeads,
    headSize,
    layers: plan.layers.length,
    vocab,
    epsilon: floatWord(plan.epsilon),
    stream: place(mostRows * hidden * 4),
    update: place(mostRows * hidden * 4),
    quantized: place(mostRows * Math.max(hidden, attended) * 2),
    quantizedScales: place((mostRows * Math.max(hidden, attended)) / 8),
    gated: place(mostRows * ffn * 2),
    gatedScales: place((mostRows * ffn) / 8),
    qkv: place(mostRows * (heads + 2 * kvHeads) * headSize * 4),
    logits: place(mostKept * vocab * 4),
    rotary: place(mostRows * headSize * 4),
    kvBlocks: place(kvBlocks * 4),
    layerTable: place(layerWords.length * 4),
    finalNorm: memory.placeTensor(plan.finalNorm),
    head: place(headWords.length * 4),
    scratch: place(threads * scratchBytes),
    scratchBytes,
    attentionScale: floatWord(plan.attentionScale / (plan.attentionCap ?? 1)),
    attentionCap: floatWord(plan.attentionCap ?? 0),
    activation: gates[plan.activation],
  };
  return { fields, layerWords, headWords };
}

/** Writes cosines and sines of the rotary angles of positions from `start` on, f32 [rows, 2, headSize / 2]. */
function writeRotary(floats: Float32Array, at: number, plan: LlamaPlan, start: number, rows: number): void {
  const { frequencies, headSize } = plan;
  const half = headSize / 2;
  for (let row = 0; row < rows; row++) {
    const cosines = at + row * headSize;
    for (let i = 0; i < half; i++) {
      const angle = Math.fround((start + row) * (frequencies[i] ?? 0));
      floats[cosines + i] = Math.cos(angle);
      floats[cosines + half + i] = Math.sin(angle);
    }
  }
}

/**
 * Visits each run of consecutive rows among the rows [from, to) of keys or values: its place in the memory, its place in a tensor
 * [kvHeads, tensorRows, headSize], and its length, all in floats. `blocks` are the addresses of the blocks.
 */
function eachKvRun(
  { kvHeads, headSize }: LlamaPlan,
  blocks: Int32Array,
  tensor: number,
  from: number,
  to: number,
  tensorRows: number,
  visit: (inMemory: number, inTensor: number, floats: number) => void,
): void {
  for (let head = 0; head < kvHeads; head++) {
    for (let row = from; row < to;) {
      const inBlock = row % kvBlockRows;
      const rows = Math.min(kvBlockRows - inBlock, to - row);
      const block = (blocks[(row - inBlock) / kvBlockRows] ?? 0) >> 2;
      const inMemory = block + ((tensor * kvHeads + head) * kvBlockRows + inBlock) * headSize;
      visit(inMemory, (head * tensorRows + row) * headSize, rows * headSize);
      row += rows;
    }
  }
}
