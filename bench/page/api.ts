// The wire between the bench page and its two workers, one per system. Types only.
import type { Device, Message } from "#engine/types.ts";
import type { Timed } from "../measure.ts";
import type { Split } from "../systems/ours.ts";

export interface LoadOptions {
  /** Absolute URL of the package's folder, ending with a slash. */
  readonly packageUrl: string;
  /** Absolute URL of the folder with the runtime's wasm files, ending with a slash. */
  readonly runtimeUrl: string;
  readonly device: "auto" | "webgpu" | "wasm";
  /** Tokens that an answer has at most. */
  readonly longestAnswer: number;
  /** Keep features of pictures in IndexedDB, as the app does; default false, since a bench asks about pictures that it has just made up. */
  readonly keepFeatures?: boolean;
}

/** The embedding table as 32-bit floats [tokens, hidden], for runtimes that cannot gather from a quantized one. */
export interface EmbeddingTable {
  readonly values: Float32Array<ArrayBuffer>;
  readonly tokens: number;
  readonly hidden: number;
}

export interface Loaded {
  /** From files that are here already. */
  readonly loadMs: number;
  /** What fetching them took. */
  readonly fetchMs: number;
  readonly device: Device;
  /** What the device calls itself; "" where nothing tells. */
  readonly adapter: string;
  readonly threads: number;
  readonly model: string;
  /** Tokens that a conversation may have. */
  readonly contextLength: number;
}

/** The most that a system has held, in bytes. */
export interface Memory {
  /** Of all WebAssembly memories, which never shrink. */
  readonly wasmBytes: number;
  /** Of all buffers on the GPU at one time; absent where there is none. */
  readonly gpuBytes?: number | undefined;
  /** Of the JavaScript heap, at the end; absent in browsers that do not tell. */
  readonly heapBytes?: number | undefined;
}

export interface OursApi {
  load(options: LoadOptions): Promise<Loaded>;
  ask(messages: readonly Message[]): Promise<(Timed & { readonly split: Split | undefined }) | undefined>;
  memory(): Promise<Memory>;
  /** Of the loaded package; undefined where its table is not quantized. */
  embeddings(): Promise<EmbeddingTable | undefined>;
}

export interface LibraryApi {
  /** With a table, the library embeds with it instead of the package's own graph. */
  load(options: LoadOptions, table: EmbeddingTable | undefined): Promise<Loaded>;
  ask(messages: readonly Message[]): Promise<Timed | undefined>;
  memory(): Promise<Memory>;
}
