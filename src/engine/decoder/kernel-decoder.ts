// Runs the decoder on this project's own WebAssembly kernel, whose memory also holds the keys and values. Rows that a session computed can be
// added to the same cache, so a host may run short pieces here and long ones there. Knows no tokens.
import { EngineError } from "#engine/errors.ts";
import type { Llama } from "#engine/kernel/llama.ts";
import type { Runtime, RuntimeTensor } from "#engine/runtime/runtime.ts";
import type { Decoder } from "./decoder.ts";
import type { KvCache } from "./kv-cache.ts";

/**
 * The decoder on this kernel, which it then owns. Of its caches only the one used last holds rows, all others are empty. The runtime's tensors
 * must be in main memory.
 */
export function createKernelDecoder(runtime: Runtime, llama: Llama): Decoder {
  const memory = new SharedMemory(llama);
  return {
    createCache: () => new KernelCache(runtime, memory),
    async run(embeds, slots, cache, keep) {
      if (!(cache instanceof KernelCache) || !cache.isOf(memory)) {
        throw new EngineError("internal", "a cache of another decoder was passed");
      }
      cache.reserve(cache.slots.length + slots.length);
      const logits = llama.run(await runtime.read(embeds), cache.slots.length, keep);
      cache.extend(slots);
      return logits;
    },
    release: () => {
      llama.release();
      return Promise.resolve();
    },
  };
}

/** The kernel's memory holds the rows of one cache at a time. */
class SharedMemory {
  readonly llama: Llama;
  #owner: KernelCache | undefined;

  constructor(llama: Llama) {
    this.llama = llama;
  }

  /** Gives the memory to this cache and empties the one that had it. */
  claim(cache: KernelCache): void {
    if (this.#owner && this.#owner !== cache) this.#owner.dispose();
    this.#owner = cache;
  }
}

class KernelCache implements KvCache {
  slots: number[] = [];
  readonly #runtime: Runtime;
  readonly #memory: SharedMemory;
  /** All rows as tensors [1, kvHeads, rows, headSize] for the next run of a session; disposed of as soon as the kernel adds rows. */
  #tensors: RuntimeTensor[] = [];

  constructor(runtime: Runtime, memory: SharedMemory) {
    this.#runtime = runtime;
    this.#memory = memory;
  }

  isOf(memory: SharedMemory): boolean {
    return this.#memory === memory;
  }

  reserve(rows: number): void {
    this.#memory.claim(this);
    this.#memory.llama.reserve(rows);
  }

  /** Takes over rows that the kernel has added to its memory. */
  extend(slots: readonly number[]): void {
    this.#disposeTensors();
    this.slots.push(...slots);
  }

  inputs(): Record<string, RuntimeTensor> {
    const { llama } = this.#memory;
    const rows = this.slots.length;
    const names = tensorNames(llama);
    if (this.#tensors.length === 0) {
      this.#tensors = names.map((_, index) =>
        this.#runtime.tensor("float32", llama.readRows(index, rows), [1, llama.kvHeads, rows, llama.headSize]),
      );
    }
    return Object.fromEntries(this.#tensors.map((tensor, i) => [`past_key_values.${names[i] ?? ""}`, tensor]));
  }

  into(): Record<string, never> {
    return {};
  }

  /** Takes over the rows that a session has computed, and copies the added ones to the kernel's memory. */
  async accept(outputs: ReadonlyMap<string, RuntimeTensor>, added: readonly number[]): Promise<void> {
    const { llama } = this.#memory;
    this.#disposeTensors();
    this.#tensors = tensorNames(llama).map((name) => {
      const tensor = outputs.get(`present.${name}`);
      if (!tensor) throw new EngineError("bad-package", `the decoder yields no present.${name}`);
      return tensor;
    });
    const from = this.slots.length;
    for (const [index, tensor] of this.#tensors.entries()) {
      llama.writeRows(index, await this.#runtime.read(tensor), from, from + added.length);
    }
    this.slots.push(...added);
  }

  truncate(rows: number): void {
    if (rows >= this.slots.length) return;
    this.#disposeTensors();
    this.slots = this.slots.slice(0, rows);
  }

  dispose(): void {
    this.#disposeTensors();
    this.slots = [];
  }

  #disposeTensors(): void {
    for (const tensor of this.#tensors.splice(0)) tensor.dispose();
  }
}

/** What graphs call the tensors of keys and values, in the order of the kernel's memory. */
function tensorNames({ layers }: Llama): string[] {
  return Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
}
