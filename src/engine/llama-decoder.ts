// Runs a decoder of Llama's kind on this project's own WebAssembly kernel (kernels/llama.ts), several threads over one memory that holds the
// weights as they are in the package, the cache of keys and values in blocks of 64 positions, and the rows under way.
// Knows no runtime and no tokens; who helps is its host's business.
import { EngineError } from "./errors.ts";
import type { KvCache } from "./kv-cache.ts";
import { llamaKernelBytes, type LlamaKernel } from "./llama-kernel.ts";
import type { PlannedMatrix } from "./graph-walk.ts";
import type { LlamaPlan } from "./llama-plan.ts";
import type { OnnxTensor } from "./onnx-reader.ts";
import type { Runtime, RuntimeTensor } from "./runtime.ts";
import type { PackageFiles } from "./types.ts";

/** Threads beside the caller's own. */
export interface KernelHelpers {
  /** How many a decoder may have. */
  readonly count: number;
  /**
   * Each helper instantiates the module over the memory and calls help(i), i from 1 on. Resolves when all that could be started are ready
   * to be called, with how many they are and what ends them.
   */
  start(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
  ): Promise<{ readonly count: number; readonly end: () => void }>;
}

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
const pageBytes = 65_536;
const mostPages = 65_536;
const header = 1024;
/** The kernel's header, in its order from offset 28 on. */
const headerFields = [
  "rows", "start", "keep", "hidden", "ffn", "heads", "kvHeads", "headSize", "layers", "vocab", "epsilon", "stream", "update", "narrow",
  "narrowScales", "gated", "gatedScales", "qkv", "logits", "rotary", "kvBlocks", "layerTable", "finalNorm", "head", "scratch",
  "scratchBytes",
] as const; // prettier-ignore
type HeaderField = (typeof headerFields)[number];
const offsets = { job: 0, quit: 4, threads: 8 };
const offsetOf = (field: HeaderField): number => header + 28 + 4 * headerFields.indexOf(field);

export interface LlamaOptions {
  readonly plan: LlamaPlan;
  /** Where the plan's external files are. */
  readonly pathOf: (file: string) => string;
  readonly files: PackageFiles;
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

  // First where everything goes, then the memory of that size, then the bytes.
  let end = header + 256;
  const place = (bytes: number): number => {
    const at = end;
    end += Math.ceil(bytes / 64) * 64;
    return at;
  };
  const copies: { readonly tensor: OnnxTensor; readonly at: number }[] = [];
  const placeTensor = (tensor: OnnxTensor): number => {
    const at = place(tensor.data instanceof Uint8Array ? tensor.data.length : tensor.data.bytes);
    copies.push({ tensor, at });
    return at;
  };
  const matrixWords = (m: PlannedMatrix): number[] => [
    m.bits,
    m.rows,
    m.cols,
    placeTensor(m.data),
    placeTensor(m.scales),
    m.zeroPoints ? placeTensor(m.zeroPoints) : 0,
    m.bias ? placeTensor(m.bias) : 0,
  ];
  const layerWords = plan.layers.flatMap((layer) => [
    placeTensor(layer.attentionNorm),
    placeTensor(layer.mlpNorm),
    ...[layer.qkv, layer.out, layer.gate, layer.up, layer.down].flatMap(matrixWords),
  ]);
  const headWords = matrixWords(plan.head);
  const scratchBytes =
    Math.ceil((widest * 4 + mostRows * 256 + 512 + (heads / kvHeads) * (headSize * 4 + 16)) / 64) * 64;
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
    finalNorm: placeTensor(plan.finalNorm),
    head: place(headWords.length * 4),
    scratch: place(threads * scratchBytes),
    scratchBytes,
  };

  const memory = makeMemory(end, end + kvBlocks * kvBlockBytes);
  const words = (at: number, values: readonly number[]): void => new Int32Array(memory.buffer).set(values, at >> 2);
  for (const field of headerFields) words(offsetOf(field), [places[field]]);
  new Float32Array(memory.buffer)[offsetOf("epsilon") >> 2] = plan.epsilon;
  words(places.layerTable, layerWords);
  words(places.head, headWords);
  // A few at a time: what is read arrives while other bytes are being copied.
  const waiting = copies.values();
  const copyRest = async (): Promise<void> => {
    for (const { tensor, at } of waiting) await copyInto(memory, at, tensor, options);
  };
  await Promise.all(Array.from({ length: readsAtOnce }, copyRest));

  const module = await WebAssembly.compile(llamaKernelBytes());
  const kernel = await startKernel(module, memory);
  const helpers =
    options.helpers && options.helpers.count > 0 ? await options.helpers.start(module, memory) : undefined;
  words(header + offsets.threads, [1 + (helpers?.count ?? 0)]);

  let blocks = 0;
  const reserve = (rows: number): void => {
    for (; blocks * kvBlockRows < rows; blocks++) {
      if (blocks === kvBlocks) throw new EngineError("context-full", `${rows} rows do not fit ${contextLength}`);
      const at = place(kvBlockBytes);
      growTo(memory, end);
      words(places.kvBlocks + blocks * 4, [at]);
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
    const table = new Int32Array(memory.buffer, places.kvBlocks, kvBlocks);
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
      const floats = new Float32Array(memory.buffer);
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
      const floats = new Float32Array(memory.buffer);
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
    const floats = new Float32Array(memory.buffer);
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
    words(offsetOf("rows"), [rows, start, keep]);
    kernel.run();
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
      return memory.buffer.byteLength;
    },
    release() {
      const state = new Int32Array(memory.buffer);
      Atomics.store(state, (header + offsets.quit) >> 2, 1);
      Atomics.add(state, (header + offsets.job) >> 2, 1);
      Atomics.notify(state, (header + offsets.job) >> 2);
      helpers?.end();
    },
  };
}

function makeMemory(bytes: number, mostBytes: number): WebAssembly.Memory {
  const initial = Math.ceil(bytes / pageBytes);
  if (initial > mostPages) throw new EngineError("out-of-memory", "the decoder's weights do not fit 4 GiB");
  try {
    const maximum = Math.min(mostPages, Math.ceil(mostBytes / pageBytes) + 1);
    return new WebAssembly.Memory({ initial, maximum, shared: true });
  } catch (error) {
    throw new EngineError("out-of-memory", `no memory for ${initial * pageBytes} bytes of weights`, { cause: error });
  }
}

function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const pages = Math.ceil((bytes - memory.buffer.byteLength) / pageBytes);
  if (pages <= 0) return;
  try {
    memory.grow(pages);
  } catch (error) {
    throw new EngineError("out-of-memory", "no memory for a longer conversation", { cause: error });
  }
}

/** Reads under way, and bytes of one, so that no tensor is in memory twice. */
const [readsAtOnce, pieceBytes] = [4, 2 ** 23];

async function copyInto(
  memory: WebAssembly.Memory,
  at: number,
  { data }: OnnxTensor,
  { files, pathOf }: Pick<LlamaOptions, "files" | "pathOf">,
): Promise<void> {
  const target = new Uint8Array(memory.buffer);
  if (data instanceof Uint8Array) {
    target.set(data, at);
    return;
  }
  const blob = await files.blob(pathOf(data.file));
  if (data.offset + data.bytes > blob.size) throw new EngineError("bad-package", `${data.file} is too short`);
  for (let from = 0; from < data.bytes; from += pieceBytes) {
    const start = data.offset + from;
    const piece = blob.slice(start, Math.min(start + pieceBytes, data.offset + data.bytes));
    target.set(new Uint8Array(await piece.arrayBuffer()), at + from);
  }
}

/** The kernel over this memory, in the caller's thread. */
async function startKernel(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<LlamaKernel> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as unknown as LlamaKernel; // what kernels/llama.ts exports
}
