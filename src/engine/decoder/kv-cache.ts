// The decoder's keys and values (the KV cache), and the prompt slots that they belong to. Knows no tokens' meaning.
// "growing": every run returns longer tensors. "static": past and present share one device buffer, whose capacity doubles when needed.
import { EngineError } from "#engine/errors.ts";
import type { CopyStep, Runtime, RuntimeTensor } from "#engine/runtime/runtime.ts";

export interface CacheShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headSize: number;
  /** Rows a static cache never exceeds. */
  readonly contextLength: number;
  /** Whether past and present may be one buffer; default true. */
  readonly shared?: boolean | undefined;
}

/** Keys and values of the slots computed so far; owns its tensors. */
export interface KvCache {
  /** The slots of the rows, in order: token ids, and for a picture's rows the picture's negative number. */
  readonly slots: readonly number[];
  /** Makes room for `rows` rows in all; called before each run. Throws "context-full" where there is none. */
  reserve(rows: number): void;
  /** The past, as the decoder graph's inputs. */
  inputs(): Record<string, RuntimeTensor>;
  /** The tensors that a static cache has the present written to; empty for a growing one. */
  into(): Record<string, RuntimeTensor>;
  /** Takes over the outputs `present.…` of a run that added these slots. */
  accept(outputs: Map<string, RuntimeTensor>, added: readonly number[]): void | Promise<void>;
  /** Forgets all rows from `rows` on. */
  truncate(rows: number): void;
  /** Disposes the tensors; the cache must not be used afterwards. */
  dispose(): void;
}

/** An empty cache in the runtime's style. */
export function createKvCache(runtime: Runtime, shape: CacheShape): KvCache {
  return runtime.cacheStyle === "static" && shape.shared !== false
    ? createStaticCache(runtime, shape)
    : createGrowingCache(runtime, shape);
}

/** How many leading slots two prompts share. */
export function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a[i] === b[i]) i++;
  return i;
}

function names(layers: number): { past: string; present: string }[] {
  return Array.from({ length: layers }, (_, i) => [
    { past: `past_key_values.${i}.key`, present: `present.${i}.key` },
    { past: `past_key_values.${i}.value`, present: `present.${i}.value` },
  ]).flat();
}

function createGrowingCache(runtime: Runtime, shape: CacheShape): KvCache {
  const pairs = names(shape.layers);
  const { kvHeads, headSize } = shape;
  const empty = (): RuntimeTensor[] => pairs.map(() => runtime.allocate([1, kvHeads, 0, headSize]));
  const disposeAll = (): void => tensors.forEach((tensor) => tensor.dispose());
  let tensors = empty(); // each [1, kvHeads, slots.length, headSize]
  let slots: number[] = [];
  return {
    get slots() {
      return slots;
    },
    reserve() {
      // Every run allocates what it returns.
    },
    inputs: () => byName(pairs, "past", tensors),
    into: () => ({}),
    accept(outputs, added) {
      const next = pairs.map(({ present }) => {
        const tensor = outputs.get(present);
        if (!tensor) throw new EngineError("bad-package", `the decoder yields no ${present}`);
        return tensor;
      });
      disposeAll();
      tensors = next;
      slots.push(...added);
    },
    truncate(rows) {
      if (rows >= slots.length) return;
      const had = slots.length;
      const next = tensors.map((from) => {
        const to = runtime.allocate([1, kvHeads, rows, headSize]);
        runtime.copy(copyHeads(from, had, to, rows, rows, shape));
        return to;
      });
      disposeAll();
      tensors = next;
      slots = slots.slice(0, rows);
    },
    dispose() {
      disposeAll();
      tensors = [];
      slots = [];
    },
  };
}

const smallestCapacity = 256;

function createStaticCache(runtime: Runtime, shape: CacheShape): KvCache {
  const pairs = names(shape.layers);
  const { kvHeads, headSize, contextLength } = shape;
  let capacity = 0;
  let tensors: RuntimeTensor[] = []; // each [1, kvHeads, capacity, headSize]
  let slots: number[] = [];
  const dispose = (): void => {
    tensors.forEach((tensor) => tensor.dispose());
    tensors = [];
    slots = [];
    capacity = 0;
  };
  return {
    get slots() {
      return slots;
    },
    reserve(rows) {
      if (rows <= capacity) return;
      const wanted = Math.min(2 ** Math.ceil(Math.log2(Math.max(rows, smallestCapacity))), contextLength);
      if (wanted < rows) throw new EngineError("context-full", `${rows} rows do not fit ${contextLength}`);
      // One tensor at a time, so that there are never two whole caches.
      try {
        for (let i = 0; i < pairs.length; i++) {
          const to = runtime.allocate([1, kvHeads, wanted, headSize]);
          const from = tensors[i];
          tensors[i] = to;
          if (!from) continue;
          if (slots.length > 0) runtime.copy(copyHeads(from, capacity, to, wanted, slots.length, shape));
          from.dispose();
        }
        capacity = wanted;
      } catch (error) {
        dispose();
        throw error;
      }
    },
    inputs: () => byName(pairs, "past", tensors),
    into: () => byName(pairs, "present", tensors),
    accept(_outputs, added) {
      slots.push(...added);
    },
    truncate(rows) {
      if (rows < slots.length) slots = slots.slice(0, rows);
    },
    dispose,
  };
}

function byName(
  pairs: readonly { past: string; present: string }[],
  side: "past" | "present",
  tensors: readonly RuntimeTensor[],
): Record<string, RuntimeTensor> {
  const record: Record<string, RuntimeTensor> = {};
  pairs.forEach((pair, i) => {
    const tensor = tensors[i];
    if (tensor) record[pair[side]] = tensor;
  });
  return record;
}

function copyHeads(
  from: RuntimeTensor,
  fromRows: number,
  to: RuntimeTensor,
  toRows: number,
  rows: number,
  shape: CacheShape,
): CopyStep[] {
  return Array.from({ length: shape.kvHeads }, (_, head) => ({
    from,
    fromOffset: head * fromRows * shape.headSize,
    to,
    toOffset: head * toRows * shape.headSize,
    count: rows * shape.headSize,
  }));
}
