// Runs the layers of a decoder of Llama's kind on this project's own WebAssembly kernel (kernels/llama.ts): several threads over one memory that
// holds the weights as they are in the package, the keys and values in blocks of 64 positions, and the rows being computed.
// Knows no runtime and no tokens; its host starts the helper threads.
import { EngineError } from "#engine/errors.ts";
import { llamaKernelBytes } from "./llama-kernel.ts";
import type { LlamaPlan } from "./llama-plan.ts";
import * as layout from "./layout/llama-header.ts";
import * as layerLayout from "./layout/llama-layer.ts";
import { attendedRows, kvBlockRows, stateHeadBytes } from "./layout/sizes.ts";
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
  release(): void;
}

/** Rows of one run of the kernel, and rows with logits. */
const [mostRows, mostKept] = [256, 32];
export interface LlamaOptions extends WeightFiles {
  readonly plan: LlamaPlan;
  readonly contextLength: number;
  readonly helpers: KernelHelpers | undefined;
}

/** Reads the weights into a new memory; rejects with "out-of-memory" where they do not fit. */
export async function loadLlama(options: LlamaOptions): Promise<Llama> {
  const { plan, contextLength } = options;
  const { hidden, ffn, heads, kvHeads, headSize, vocab } = plan;
  const attended = heads * headSize;
  const widest = Math.max(hidden, ffn, attended);
  const threads = 1 + (options.helpers?.count ?? 0);
  const kvBlockBytes = plan.layers.length * 2 * kvHeads * kvBlockRows * headSize * 4;
  const kvBlocks = Math.ceil(contextLength / kvBlockRows);

  const own = new KernelMemory();
  const place = (bytes: number): number => own.place(bytes);
  const layerWords = plan.layers.flatMap((layer) =>
    tableWords(layerLayout, {
      attentionNorm: own.placeTensor(layer.attentionNorm),
      mlpNorm: own.placeTensor(layer.mlpNorm),
      qkv: own.matrixWords(layer.qkv),
      out: own.matrixWords(layer.out),
      gate: own.matrixWords(layer.gate),
      up: own.matrixWords(layer.up),
      down: own.matrixWords(layer.down),
    }),
  );
  const headWords = own.matrixWords(plan.head);
  const scratchBytes =
    Math.ceil(
      Math.max(
        unpackedBytes(widest) + mostRows * 256,
        kvBlockRows * 4 + attendedRows * (heads / kvHeads) * (headSize * 4 + stateHeadBytes),
      ) / 64,
    ) * 64;
  const fields: Record<keyof typeof layout, number> = {
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
    finalNorm: own.placeTensor(plan.finalNorm),
    head: place(headWords.length * 4),
    scratch: place(threads * scratchBytes),
    scratchBytes,
  };

  await own.make(kvBlocks * kvBlockBytes, options);
  own.fields(layout, fields);
  own.words(fields.layerTable, layerWords);
  own.words(fields.head, headWords);
  const team = await own.start(llamaKernelBytes(), options.helpers);

  let blocks = 0;
  const reserve = (rows: number): void => {
    for (; blocks * kvBlockRows < rows; blocks++) {
      if (blocks === kvBlocks) throw new EngineError("context-full", `${rows} rows do not fit ${contextLength}`);
      own.words(fields.kvBlocks + blocks * 4, [place(kvBlockBytes)]);
    }
  };

  /** Visits each run of a head's rows, with its place in the memory and in a tensor [kvHeads, tensorRows, headSize]; all in floats. */
  const eachRun = (
    tensor: number,
    [from, to]: readonly [number, number],
    tensorRows: number,
    visit: (inMemory: number, inTensor: number, floats: number) => void,
  ): void => {
    const table = new Int32Array(own.memory.buffer, fields.kvBlocks, kvBlocks);
    for (let head = 0; head < kvHeads; head++) {
      for (let row = from; row < to;) {
        const inBlock = row % kvBlockRows;
        const rows = Math.min(kvBlockRows - inBlock, to - row);
        const block = (table[(row - inBlock) / kvBlockRows] ?? 0) >> 2;
        const inMemory = block + ((tensor * kvHeads + head) * kvBlockRows + inBlock) * headSize;
        visit(inMemory, (head * tensorRows + row) * headSize, rows * headSize);
        row += rows;
      }
    }
  };

  const runRows = (embeds: Float32Array, start: number, keep: number): Float32Array[] => {
    const rows = embeds.length / hidden;
    const { floats } = own;
    floats.set(embeds, fields.stream >> 2);
    const half = headSize / 2;
    for (let row = 0; row < rows; row++) {
      const at = (fields.rotary >> 2) + row * headSize;
      for (let i = 0; i < half; i++) {
        const angle = Math.fround((start + row) * (plan.frequencies[i] ?? 0));
        floats[at + i] = Math.cos(angle);
        floats[at + half + i] = Math.sin(angle);
      }
    }
    own.field(layout.rows, rows);
    own.field(layout.start, start);
    own.field(layout.keep, keep);
    team.run();
    return Array.from({ length: keep }, (_, i) => {
      const at = (fields.logits >> 2) + i * vocab;
      return floats.slice(at, at + vocab);
    });
  };

  return {
    layers: plan.layers.length,
    kvHeads,
    headSize,
    reserve,
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
      const { floats } = own;
      const values = new Float32Array(kvHeads * rows * headSize);
      eachRun(tensor, [0, rows], rows, (at, to, count) => values.set(floats.subarray(at, at + count), to));
      return values;
    },
    writeRows(tensor, values, from, to) {
      const { floats } = own;
      eachRun(tensor, [from, to], to, (at, source, count) => floats.set(values.subarray(source, source + count), at));
    },
    release: () => team.release(),
  };
}
