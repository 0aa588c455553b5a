// The memory of one training kernel (kernels/train.ts): addresses are handed out one after another, and back to a mark.
import { EngineError } from "#engine/errors.ts";
import { trainKernelBytes, type TrainKernel } from "./train-kernel.ts";

const pageBytes = 65_536;

export class TrainMemory {
  readonly kernel: TrainKernel;
  readonly #memory: WebAssembly.Memory;
  // The kernel has its few constants below.
  #end = pageBytes;

  private constructor(memory: WebAssembly.Memory, kernel: TrainKernel) {
    this.#memory = memory;
    this.kernel = kernel;
  }

  static async create(): Promise<TrainMemory> {
    const memory = new WebAssembly.Memory({ initial: 2 });
    const { instance } = await WebAssembly.instantiate(trainKernelBytes(), { env: { memory } });
    return new TrainMemory(memory, instance.exports as unknown as TrainKernel);
  }

  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Reserves 32-bit words, of any content, and returns their address. Throws "out-of-memory". */
  place(words: number): number {
    const at = this.#end;
    this.#end += Math.ceil(words / 16) * 64;
    const pages = Math.ceil((this.#end - this.bytes) / pageBytes);
    if (pages > 0) {
      try {
        this.#memory.grow(pages);
      } catch (cause) {
        throw new EngineError("out-of-memory", `no memory for ${this.#end} bytes to train in`, { cause });
      }
    }
    return at;
  }

  put(values: Float32Array): number {
    const at = this.place(values.length);
    this.floats(at, values.length).set(values);
    return at;
  }

  putIntegers(values: Int32Array): number {
    const at = this.place(values.length);
    new Int32Array(this.#memory.buffer, at, values.length).set(values);
    return at;
  }

  /** Valid until the next `place`. */
  floats(at: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer, at, length);
  }

  mark(): number {
    return this.#end;
  }

  /** Gives back all that was reserved since that mark. */
  release(mark: number): void {
    this.#end = mark;
  }
}
