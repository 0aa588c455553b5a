// The memory of one of this project's kernels, and the threads that run it: where everything goes is settled first, then there is a memory of that
// size, then it is filled. Knows no model; kernels/team.ts has the same header.
import { EngineError } from "#engine/errors.ts";
import { blockSize, type PlannedMatrix } from "./graph-walk.ts";
import * as matrixLayout from "./layout/matrix.ts";
import { leastUnpackedBytes, spillBytes } from "./layout/sizes.ts";
import * as team from "./layout/team.ts";
import type { OnnxTensor } from "#formats/onnx-reader.ts";
import type { PackageFiles } from "#engine/types.ts";

/** Threads beside the caller's own. */
export interface KernelHelpers {
  /** How many a kernel may have. */
  readonly count: number;
  /** How often a helper looks for the next job before it goes to sleep; a look takes one to two nanoseconds. */
  readonly linger: number;
  /**
   * Each helper instantiates the module over the memory and calls help(i), i from 1 on. Resolves when all that could be started are ready
   * to be called, with how many they are and what ends them.
   */
  start(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
  ): Promise<{ readonly count: number; readonly end: () => void }>;
}

/** Where a graph's weights come from. */
export interface WeightFiles {
  readonly files: PackageFiles;
  /** Where the graph's external files are. */
  readonly pathOf: (file: string) => string;
}

const pageBytes = 65_536;
const mostPages = 65_536;
/** Reads under way, and bytes of one; bytes between two pieces that are read along with them. */
const [readsAtOnce, readBytesAtMost, gapAtMost] = [4, 2 ** 24, 2 ** 12];
/** Of the buffer that a read uses over and over. */
const bufferBytes = 2 ** 20;

/** Bytes of a matrix product's scratch, for matrices of so many columns. `unpackedBytes` of kernels/matrix.ts is the same. */
export const unpackedBytes = (columns: number): number => spillBytes + Math.max(columns * 4, leastUnpackedBytes);

/** 32-bit words of a table of layout/, with each field's word or words at its place. */
export function tableWords<Name extends string>(
  offsets: Readonly<Record<Name | "bytes", number>>,
  values: Readonly<Record<Exclude<NoInfer<Name>, "bytes">, number | readonly number[]>>,
): number[] {
  const words = new Array<number>(offsets.bytes / 4).fill(0);
  for (const [name, value] of Object.entries<number | readonly number[]>(values)) {
    const own = [value].flat();
    words.splice(offsets[name as Name] / 4, own.length, ...own);
  }
  return words;
}

/** The bits of a number as f32, in a 32-bit word. */
export const floatWord = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] ?? 0;

export class KernelMemory {
  #end = team.header + team.headerBytes;
  #memory: WebAssembly.Memory | undefined;
  readonly #copies: { readonly tensor: OnnxTensor; readonly at: number }[] = [];

  /** The address of so many bytes; they are zero. */
  place(bytes: number): number {
    const at = this.#end;
    this.#end += Math.ceil(bytes / 64) * 64;
    if (this.#memory) growTo(this.#memory, this.#end);
    return at;
  }

  placeTensor(tensor: OnnxTensor): number {
    const at = this.place(tensor.data instanceof Uint8Array ? tensor.data.length : tensor.data.bytes);
    this.#copies.push({ tensor, at });
    return at;
  }

  /** A matrix as kernels/matrix.ts reads it; columns are told in whole blocks. */
  matrixWords(m: PlannedMatrix): number[] {
    return tableWords(matrixLayout, {
      bits: m.bits,
      rows: m.rows,
      columns: Math.ceil(m.cols / blockSize) * blockSize,
      data: this.placeTensor(m.data),
      scales: this.placeTensor(m.scales),
      zeroPoints: m.zeroPoints ? this.placeTensor(m.zeroPoints) : 0,
      bias: m.bias ? this.placeTensor(m.bias) : 0,
    });
  }

  /** Makes the memory and fills it from the files; rejects with "out-of-memory" where there is none so large. */
  async make(bytesToCome: number, from: WeightFiles): Promise<void> {
    this.#memory = makeMemory(this.#end, this.#end + bytesToCome);
    const pieces: Piece[] = [];
    for (const { tensor, at } of this.#copies.splice(0)) {
      if (tensor.data instanceof Uint8Array) this.bytes.set(tensor.data, at);
      else pieces.push({ ...tensor.data, at });
    }
    // A few at a time: what is read arrives while other bytes are being copied.
    const waiting = readsOf(pieces).values();
    const fill = async (): Promise<void> => {
      for (const read of waiting) {
        await readBytes(read, from, (bytes, first) => {
          for (const { offset, bytes: length, at } of read.pieces) {
            const start = Math.max(0, offset - first);
            const end = Math.min(bytes.length, offset + length - first);
            if (start < end) this.bytes.set(bytes.subarray(start, end), at + first + start - offset);
          }
        });
      }
    };
    await Promise.all(Array.from({ length: readsAtOnce }, fill));
  }

  get memory(): WebAssembly.Memory {
    if (!this.#memory) throw new EngineError("internal", "a kernel's memory was used before it was made");
    return this.#memory;
  }
  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }
  get floats(): Float32Array {
    return new Float32Array(this.memory.buffer);
  }
  /** Writes 32-bit words. */
  words(at: number, values: readonly number[]): void {
    new Int32Array(this.memory.buffer).set(values, at >> 2);
  }
  /** Writes a field of the header, a 32-bit word, at its offset in layout/. */
  field(offset: number, value: number): void {
    new Int32Array(this.memory.buffer)[(team.header + offset) >> 2] = value;
  }
  /** Writes all of a kernel's own fields. */
  fields<Name extends string>(
    offsets: Readonly<Record<Name, number>>,
    values: Readonly<Record<NoInfer<Name>, number>>,
  ): void {
    for (const [name, value] of Object.entries<number>(values)) this.field(offsets[name as Name], value);
  }

  /** The kernel over this memory in this thread and its helpers'. */
  async start(code: BufferSource, helpers: KernelHelpers | undefined): Promise<KernelTeam> {
    const { memory } = this;
    this.field(team.idleSpins, helpers?.linger ?? 0);
    const module = await WebAssembly.compile(code);
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    const kernel = exports as unknown as TeamKernel;
    const started = helpers && helpers.count > 0 ? await helpers.start(module, memory) : undefined;
    this.field(team.threads, 1 + (started?.count ?? 0));
    return {
      run: () => kernel.run(),
      release() {
        const state = new Int32Array(memory.buffer);
        const job = (team.header + team.job) >> 2;
        Atomics.store(state, (team.header + team.quit) >> 2, 1);
        Atomics.add(state, job, 1);
        Atomics.notify(state, job);
        started?.end();
      },
    };
  }
}

/** What every kernel whose threads work as a team exports; it imports its memory. */
export interface TeamKernel {
  /** Starts a job and returns when it is done; for the first thread. */
  run(): void;
  /** Works on jobs until the memory says quit; for a helper, the `thread`-th, from 1 on. */
  help(thread: number): void;
}

export interface KernelTeam {
  /** One job, by all threads. */
  run(): void;
  release(): void;
}

/** Bytes of a file. */
interface FileBytes {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Bytes of a file and where they go. */
interface Piece extends FileBytes {
  readonly at: number;
}

/** As few reads as get all pieces: those that lie side by side together, long ones in parts. */
function readsOf(pieces: readonly Piece[]): (FileBytes & { readonly pieces: readonly Piece[] })[] {
  const parts = pieces.flatMap(({ file, offset, bytes, at }) =>
    Array.from({ length: Math.ceil(bytes / readBytesAtMost) }, (_, i): Piece => {
      const skipped = i * readBytesAtMost;
      return { file, offset: offset + skipped, bytes: Math.min(readBytesAtMost, bytes - skipped), at: at + skipped };
    }),
  );
  parts.sort((a, b) => (a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1));
  const reads: { file: string; offset: number; bytes: number; pieces: Piece[] }[] = [];
  for (const part of parts) {
    const last = reads.at(-1);
    const bytes = last ? part.offset + part.bytes - last.offset : 0;
    if (last?.file === part.file && bytes <= readBytesAtMost && part.offset <= last.offset + last.bytes + gapAtMost) {
      last.bytes = Math.max(last.bytes, bytes);
      last.pieces.push(part);
    } else {
      reads.push({ file: part.file, offset: part.offset, bytes: part.bytes, pieces: [part] });
    }
  }
  return reads;
}

/** Tells the bytes in order, each run of them with where in the file it begins. They are the callee's only until it returns. */
async function readBytes(
  { file, offset, bytes }: FileBytes,
  { files, pathOf }: WeightFiles,
  onBytes: (run: Uint8Array<ArrayBuffer>, first: number) => void,
): Promise<void> {
  const blob = await files.blob(pathOf(file));
  if (offset + bytes > blob.size) throw new EngineError("bad-package", `${file} is too short`);
  const slice = blob.slice(offset, offset + bytes);
  const reader = byteReader(slice);
  if (!reader) {
    onBytes(new Uint8Array(await slice.arrayBuffer()), offset);
    return;
  }
  // One buffer goes to and fro: whole buffers of their own take twice the time, and hundreds of MiB of them wait for the garbage collector.
  let first = offset;
  readers.add(reader);
  try {
    for (let buffer = new Uint8Array(Math.min(bytes, bufferBytes)); ;) {
      const { value, done } = await reader.read(buffer);
      if (done) break;
      onBytes(value, first);
      first += value.length;
      buffer = new Uint8Array(value.buffer);
    }
  } finally {
    readers.delete(reader);
  }
  if (first !== offset + bytes) throw new EngineError("bad-package", `${file} is too short`);
}

/** Those at work. In Chromium the garbage collector takes one that nothing but its pending read refers to, and that read never ends. */
const readers = new Set<ReadableStreamBYOBReader>();

/** undefined in browsers whose Blobs are not streams of bytes. */
function byteReader(blob: Blob): ReadableStreamBYOBReader | undefined {
  try {
    return blob.stream().getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** A tensor's bytes, for those that the kernel has in another form. */
export async function readTensor({ data }: OnnxTensor, from: WeightFiles): Promise<Uint8Array<ArrayBuffer>> {
  if (data instanceof Uint8Array) return data;
  const all = new Uint8Array(data.bytes);
  await readBytes(data, from, (run, first) => all.set(run, first - data.offset));
  return all;
}

function makeMemory(bytes: number, mostBytes: number): WebAssembly.Memory {
  const initial = Math.ceil(bytes / pageBytes);
  if (initial > mostPages) throw new EngineError("out-of-memory", "the weights do not fit 4 GiB");
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
