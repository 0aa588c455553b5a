// Runs a decoder of Llama's kind on this project's own WebAssembly kernel (kernels/llama.ts), several threads over one memory that holds the
// weights as they are in the package, the cache of keys and values in blocks of 64 positions, and the rows under way.
// Knows no runtime and no tokens; who helps is its host's business.
import { EngineError } from "#engine/errors.ts";
import type { KvCache } from "./kv-cache.ts";
import { llamaKernelBytes } from "#engine/kernel/llama-kernel.ts";
import { KernelMemory, unpackedBytes, type KernelHelpers, type WeightFiles } from "#engine/kernel/memory.ts";
import type { LlamaPlan } from "#engine/kernel/llama-plan.ts";
import type { Runtime, RuntimeTensor } from "#engine/runtime/runtime.ts";

/** A decoder with its weights; one run at a time. */
export interface LlamaDecoder {
  /**
   * An empty cache; only the one that was used last holds rows, all others are empty. The runtime's own decoder can add rows to it, too,
   * where its tensors are in main memory.
   */
  createCache(runtime: Runtime): KvCache;
  /** Rows of embeddings [rows, hidden] after the cache's; returns the logits after each of the last `keep` rows. */
  run(embeds: Float32Array, added: readonly number[], cache: KvCache, keep: number): Float32Array[];
  /** Bytes of the memory, cache included. */
  readonly memoryBytes: number;
  release(): void;
}

/** Rows of one run of the kernel, and rows with logits. */
const [mostRows, mostKept] = [256, 32];
const kvBlockRows = 64;
/** Rows whose attention a thread computes at a time. */
const attendedRows = 8;
/** The kernel's own fields of the header, in its order. */
const headerFields = [
  "rows", "start", "keep", "hidden", "ffn", "heads", "kvHeads", "headSize", "layers", "vocab", "epsilon", "stream", "update", "narrow",
  "narrowScales", "gated", "gatedScales", "qkv", "logits", "rotary", "kvBlocks", "layerTable", "finalNorm", "head", "scratch",
  "scratchBytes",
] as const; // prettier-ignore
type HeaderField = (typeof headerFields)[number];
export interface LlamaOptions extends WeightFiles {
  readonly plan: LlamaPlan;
  readonly contextLength: number;
  readonly helpers: KernelHelpers | undefined;
}

/** Reads the weights into a new memory; rejects with "out-of-memory" where they do not fit. */
export async function loadLlama(options: LlamaOptions): Promise<LlamaDecoder> {
  const { plan, contextLength } = options;
  const { hidden, ffn, heads, kvHeads, headSize, vocab } = plan;
  const attended = heads * headSize;
  const widest = Math.max(hidden, ffn, attended);
  const threads = 1 + (options.helpers?.count ?? 0);
  const kvBlockBytes = plan.layers.length * 2 * kvHeads * kvBlockRows * headSize * 4;
  const kvBlocks = Math.ceil(contextLength / kvBlockRows);

  const own = new KernelMemory();
  const place = (bytes: number): number => own.place(bytes);
  const layerWords = plan.layers.flatMap((layer) => [
    own.placeTensor(layer.attentionNorm),
    own.placeTensor(layer.mlpNorm),
    ...[layer.qkv, layer.out, layer.gate, layer.up, layer.down].flatMap((matrix) => own.matrixWords(matrix)),
  ]);
  const headWords = own.matrixWords(plan.head);
  const scratchBytes =
    Math.ceil(
      Math.max(
        unpackedBytes(widest) + mostRows * 256,
        kvBlockRows * 4 + attendedRows * (heads / kvHeads) * (headSize * 4 + 16),
      ) / 64,
    ) * 64;
  const places: Record<HeaderField, number> = {
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
    epsilon: 0,
    stream: place(mostRows * hidden * 4),
    update: place(mostRows * hidden * 4),
    narrow: place(mostRows * Math.max(hidden, attended) * 2),
    narrowScales: place((mostRows * Math.max(hidden, attended)) / 8),
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
  own.field(0, ...headerFields.map((field) => places[field]));
  const epsilon = new Int32Array(Float32Array.of(plan.epsilon).buffer);
  own.field(headerFields.indexOf("epsilon"), ...epsilon);
  own.words(places.layerTable, layerWords);
  own.words(places.head, headWords);
  const team = await own.start(llamaKernelBytes(), options.helpers);

  let blocks = 0;
  const reserve = (rows: number): void => {
    for (; blocks * kvBlockRows < rows; blocks++) {
      if (blocks === kvBlocks) throw new EngineError("context-full", `${rows} rows do not fit ${contextLength}`);
      own.words(places.kvBlocks + blocks * 4, [place(kvBlockBytes)]);
    }
  };

  /** Who the rows in the memory belong to. */
  let owner: OwnCache | undefined;
  const names = plan.layers.flatMap((_, layer) => ["key", "value"].map((kind) => `${layer}.${kind}`));
  /** Calls back with where each run of a head's rows lies: in the memory and in a tensor [kvHeads, rows, headSize], in floats. */
  const eachRun = (
    name: number,
    [from, to]: readonly [number, number],
    tensorRows: number,
    visit: (inMemory: number, inTensor: number, floats: number) => void,
  ): void => {
    const table = new Int32Array(own.memory.buffer, places.kvBlocks, kvBlocks);
    for (let head = 0; head < kvHeads; head++) {
      for (let row = from; row < to;) {
        const inBlock = row % kvBlockRows;
        const rows = Math.min(kvBlockRows - inBlock, to - row);
        const block = (table[(row - inBlock) / kvBlockRows] ?? 0) >> 2;
        const inMemory = block + ((name * kvHeads + head) * kvBlockRows + inBlock) * headSize;
        visit(inMemory, (head * tensorRows + row) * headSize, rows * headSize);
        row += rows;
      }
    }
  };
  const claim = (cache: OwnCache): void => {
    if (owner && owner !== cache) owner.dispose();
    owner = cache;
  };
  class OwnCache implements KvCache {
    slots: number[] = [];
    readonly #runtime: Runtime;
    /** All rows as the runtime has them, for the next part of a prompt; gone as soon as the kernel goes on. */
    #held: RuntimeTensor[] = [];
    constructor(runtime: Runtime) {
      this.#runtime = runtime;
    }
    reserve(rows: number): void {
      claim(this);
      reserve(rows);
    }
    inputs(): Record<string, RuntimeTensor> {
      const rows = this.slots.length;
      const { floats } = own;
      if (this.#held.length === 0) {
        this.#held = names.map((_, i) => {
          const past = new Float32Array(kvHeads * rows * headSize);
          eachRun(i, [0, rows], rows, (at, to, count) => past.set(floats.subarray(at, at + count), to));
          return this.#runtime.tensor("float32", past, [1, kvHeads, rows, headSize]);
        });
      }
      return Object.fromEntries(this.#held.map((tensor, i) => [`past_key_values.${names[i] ?? ""}`, tensor]));
    }
    into(): Record<string, never> {
      return {};
    }
    async accept(outputs: ReadonlyMap<string, RuntimeTensor>, added: readonly number[]): Promise<void> {
      this.letGo();
      this.#held = names.map((name) => {
        const tensor = outputs.get(`present.${name}`);
        if (!tensor) throw new EngineError("bad-package", `the decoder yields no present.${name}`);
        return tensor;
      });
      const [from, to] = [this.slots.length, this.slots.length + added.length];
      const { floats } = own;
      for (const [i, tensor] of this.#held.entries()) {
        const present = await this.#runtime.read(tensor);
        eachRun(i, [from, to], to, (at, source, count) => floats.set(present.subarray(source, source + count), at));
      }
      this.slots.push(...added);
    }
    letGo(): void {
      for (const tensor of this.#held.splice(0)) tensor.dispose();
    }
    truncate(rows: number): void {
      if (rows >= this.slots.length) return;
      this.letGo();
      this.slots = this.slots.slice(0, rows);
    }
    dispose(): void {
      this.letGo();
      this.slots = [];
    }
  }

  const runRows = (embeds: Float32Array, start: number, keep: number): Float32Array[] => {
    const rows = embeds.length / hidden;
    const { floats } = own;
    floats.set(embeds, places.stream >> 2);
    const half = headSize / 2;
    for (let row = 0; row < rows; row++) {
      const at = (places.rotary >> 2) + row * headSize;
      for (let i = 0; i < half; i++) {
        const angle = Math.fround((start + row) * (plan.frequencies[i] ?? 0));
        floats[at + i] = Math.cos(angle);
        floats[at + half + i] = Math.sin(angle);
      }
    }
    own.field(0, rows, start, keep);
    team.run();
    return Array.from({ length: keep }, (_, i) => {
      const at = (places.logits >> 2) + i * vocab;
      return floats.slice(at, at + vocab);
    });
  };

  return {
    createCache: (runtime) => new OwnCache(runtime),
    run(embeds, added, cache, keep) {
      if (!(cache instanceof OwnCache)) throw new EngineError("internal", "a cache of another decoder was passed");
      cache.letGo();
      const logits: Float32Array[] = [];
      const step = keep > 1 ? mostKept : mostRows;
      for (let from = 0; from < added.length; from += step) {
        const to = Math.min(from + step, added.length);
        cache.reserve(cache.slots.length + to - from);
        const wanted = Math.max(1, to - Math.max(from, added.length - keep));
        const found = runRows(embeds.subarray(from * hidden, to * hidden), cache.slots.length, wanted);
        cache.slots.push(...added.slice(from, to));
        if (keep > 1) logits.push(...found);
        else logits.splice(0, 1, ...found);
      }
      return logits.slice(-keep);
    },
    get memoryBytes() {
      return own.memory.buffer.byteLength;
    },
    release: () => team.release(),
  };
}
