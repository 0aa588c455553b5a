// The memory of one of this project's kernels, and the threads that run it. First everything gets its place, then a memory of that size is made, then
// weights are read into it. Knows no model.
import { EngineError } from "#engine/errors.ts";
import { blockSize, type PlannedMatrix } from "./graph-walk.ts";
import * as matrixLayout from "#engine/kernel/layout/matrix.ts";
import { halves, hasOffsets, leastUnpackedBytes, spillBytes } from "#engine/kernel/layout/sizes.ts";
import * as team from "#engine/kernel/layout/team.ts";
import type { OnnxTensor } from "#formats/onnx-reader.ts";
import type { PackageFiles } from "#engine/types.ts";

/** The host's way to start helper threads. */
export interface KernelHelpers {
  /** Helpers that a kernel may have, beside the calling thread. */
  readonly count: number;
  /** How often a helper spins for the next job before it sleeps; one spin takes one to two nanoseconds. */
  readonly idleSpins: number;
  /**
   * Starts helpers, each of which instantiates the module over the memory and calls `help(i)`, i from 1 on. Resolves when all that could be started
   * are ready, with their number and a function that ends them.
   */
  start(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
  ): Promise<{ readonly count: number; readonly end: () => void }>;
}

/** The files that a graph's weights are in. */
export interface WeightFiles {
  readonly files: PackageFiles;
  /** The package's path of one of the graph's external files. */
  readonly pathOf: (file: string) => string;
}

const pageBytes = 65_536;
const mostPages = 65_536;
/** Reads at a time, the most bytes of one, and the most bytes between two tensors that one read spans. */
const [readsAtOnce, readBytesAtMost, gapAtMost] = [4, 2 ** 24, 2 ** 12];
/** Size of the buffer that a read fills again and again. */
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

  /** Reserves zeroed bytes and returns their address, a multiple of 64. Grows the memory if it is made already. */
  place(bytes: number): number {
    const at = this.#end;
    this.#end += Math.ceil(bytes / 64) * 64;
    if (this.#memory) growTo(this.#memory, this.#end);
    return at;
  }

  /** Reserves room for a tensor, which `make` fills, and returns its address. */
  placeTensor(tensor: OnnxTensor): number {
    const at = this.place(tensor.data instanceof Uint8Array ? tensor.data.length : tensor.data.bytes);
    this.#copies.push({ tensor, at });
    return at;
  }

  /** Reserves room for a matrix and returns its words as in layout/matrix.ts, columns rounded up to whole blocks. */
  matrixWords(m: PlannedMatrix): number[] {
    const added = m.offsets ?? m.zeroPoints;
    return tableWords(matrixLayout, {
      bits: m.bits + (m.run === 16 ? halves : 0) + (m.offsets ? hasOffsets : 0),
      rows: m.rows,
      columns: Math.ceil(m.cols / blockSize) * blockSize,
      data: this.placeTensor(m.data),
      scales: this.placeTensor(m.scales),
      zeroPoints: added ? this.placeTensor(added) : 0,
      bias: m.bias ? this.placeTensor(m.bias) : 0,
    });
  }

  /**
   * Makes the memory, with room to grow by `bytesToCome`, and reads the tensors into it. Rejects with "out-of-memory" where there is no memory of that
   * size, and with "bad-package" where a file is too short.
   */
  async make(bytesToCome: number, from: WeightFiles): Promise<void> {
    this.#memory = makeMemory(this.#end, this.#end + bytesToCome);
    const pieces: Piece[] = [];
    for (const { tensor, at } of this.#copies.splice(0)) {
      if (tensor.data instanceof Uint8Array) this.bytes.set(tensor.data, at);
      else pieces.push({ ...tensor.data, at });
    }
    // Several reads at a time, so that bytes arrive while others are being copied.
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

  /** Instantiates the kernel over this memory, in this thread and in helpers. */
  async start(code: BufferSource, helpers: KernelHelpers | undefined): Promise<KernelTeam> {
    const { memory } = this;
    this.field(team.idleSpins, helpers?.idleSpins ?? 0);
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
  /** Runs one job in all threads. */
  run(): void;
  release(): void;
}

/** A range of bytes in a file. */
interface FileBytes {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** A range of bytes in a file and the address that they go to. */
interface Piece extends FileBytes {
  readonly at: number;
}

/** Reads that cover all pieces: neighbours are read together, long pieces in parts. */
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

/** Passes the bytes on in order, each run with its offset in the file. A run is only valid until `onBytes` returns. */
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
  // One buffer is used for all reads. Fresh buffers take twice the time and leave hundreds of MiB to the garbage collector.
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

/**
 * Readers in use. Chromium's garbage collector takes a reader that only its own pending read refers to, and then that read never settles, so they are
 * referred to from here.
 */
const readers = new Set<ReadableStreamBYOBReader>();

/** A reader into buffers of ours; undefined in browsers whose Blobs have no byte streams. */
function byteReader(blob: Blob): ReadableStreamBYOBReader | undefined {
  try {
    return blob.stream().getReader({ mode: "byob" });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Reads a tensor's bytes, for tensors that the kernel needs in another form. */
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
