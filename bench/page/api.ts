// The wire between the bench page and its two workers, one per system. Types only.
import type { Device, Message } from "#engine/types.ts";
import type { Timed } from "../measure.ts";

export interface LoadOptions {
  /** Absolute URL of the package's folder, ending with a slash. */
  readonly packageUrl: string;
  /** Absolute URL of the folder with the runtime's wasm files, ending with a slash. */
  readonly runtimeUrl: string;
  readonly device: "auto" | "webgpu" | "wasm";
  /** Tokens that an answer has at most. */
  readonly longestAnswer: number;
}

/** The embedding table as 32-bit floats [tokens, hidden], for runtimes that cannot gather from a quantized one. */
export interface EmbeddingTable {
  readonly values: Float32Array<ArrayBuffer>;
  readonly tokens: number;
  readonly hidden: number;
}

export interface Loaded {
  readonly loadMs: number;
  readonly device: Device;
  /** What the device calls itself; "" where nothing tells. */
  readonly adapter: string;
  readonly threads: number;
  readonly model: string;
}

/** What our worker splits the time to the first token into, in milliseconds. */
export interface Split {
  readonly imageMs: number;
  readonly visionMs: number;
  readonly prefillMs: number;
  readonly promptTokens: number;
}

export interface OursApi {
  load(options: LoadOptions): Promise<Loaded>;
  ask(messages: readonly Message[]): Promise<Timed & { readonly split: Split }>;
  /** Of the loaded package. */
  embeddings(): Promise<EmbeddingTable>;
}

export interface LibraryApi {
  /** With a table, the library embeds with it instead of the package's own graph. */
  load(options: LoadOptions, table: EmbeddingTable | undefined): Promise<Loaded>;
  ask(messages: readonly Message[]): Promise<Timed>;
}
