// Chooses the next token from one row of logits: repetition penalty → temperature → top-k → top-p → min-p → draw.
// Pure numbers: knows no tokens' meaning and no model.
import type { Sampling } from "#engine/types.ts";

/** Below this temperature the most likely token is taken. */
const greedyTemperature = 0.001;

export interface Sampler {
  /** The next token; `logits` is changed in place when a repetition penalty is set. */
  next(logits: Float32Array, seen: ReadonlySet<number>): number;
}

/** A sampler with its own random numbers; without a seed they differ every time. */
export function createSampler(sampling: Sampling): Sampler {
  const random = createRandom(sampling.seed ?? Math.floor(Math.random() * 2 ** 32));
  return {
    next(logits, seen) {
      if (sampling.repetitionPenalty !== 1) penalise(logits, seen, sampling.repetitionPenalty);
      if (sampling.temperature <= greedyTemperature || sampling.topK === 1) return argmax(logits);
      const kept = candidates(logits, sampling);
      return draw(kept, random());
    },
  };
}

/** How many of the largest logits the sampler needs; undefined where it needs them all. */
export function topOf({ temperature, topK, repetitionPenalty }: Sampling): number | undefined {
  if (repetitionPenalty !== 1) return undefined; // a penalised token may fall behind any other one
  if (temperature <= greedyTemperature || topK === 1) return 1;
  return topK > 0 ? topK : undefined;
}

/** Index of the largest value; the first one of equals. */
export function argmax(values: Float32Array): number {
  let best = 0;
  let bestValue = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? -Infinity;
    if (value > bestValue) {
      best = i;
      bestValue = value;
    }
  }
  return best;
}

/** A token and its probability among those kept. */
export interface Candidate {
  readonly token: number;
  readonly probability: number;
}

/**
 * What may be drawn after all filters, in the order of the ids, so that numbers which differ in the last bit between devices
 * do not change which token a random number falls on. Probabilities sum to 1.
 */
export function candidates(logits: Float32Array, sampling: Sampling): Candidate[] {
  const { temperature, topK, topP, minP } = sampling;
  const max = logits[argmax(logits)] ?? 0;
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - max) / temperature));

  let kept: number[] | undefined; // all, while undefined
  if (topK > 0 && topK < logits.length) kept = takeLargest(logits, (count) => count < topK);
  if (topP < 1) {
    const target = topP * (kept ? kept.reduce((sum, token) => sum + (weights[token] ?? 0), 0) : total(weights));
    let mass = 0;
    const more = (count: number, last: number | undefined): boolean => {
      if (last !== undefined) mass += weights[last] ?? 0;
      return (kept === undefined || count < kept.length) && (count === 0 || mass < target);
    };
    kept = takeLargest(logits, more);
  }
  kept ??= [...logits.keys()];
  const likely = kept.filter((token) => (weights[token] ?? 0) >= minP).sort((a, b) => a - b);
  const sum = likely.reduce((partial, token) => partial + (weights[token] ?? 0), 0);
  return likely.map((token) => ({ token, probability: (weights[token] ?? 0) / sum }));
}

function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/**
 * Indices of the largest values, largest first (the lower index of equals), as long as `more` says so.
 * A heap gives them up one by one, so that a few cost little and the whole is never sorted.
 */
function takeLargest(values: Float32Array, more: (count: number, last: number | undefined) => boolean): number[] {
  const heap = Int32Array.from(values.keys());
  let size = heap.length;
  const better = (a: number, b: number): boolean => {
    const difference = (values[a] ?? 0) - (values[b] ?? 0);
    return difference > 0 || (difference === 0 && a < b);
  };
  const sink = (from: number): void => {
    const moved = heap[from] ?? 0;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size && better(heap[child + 1] ?? 0, heap[child] ?? 0)) child++;
      if (!better(heap[child] ?? 0, moved)) break;
      heap[i] = heap[child] ?? 0;
      i = child;
    }
    heap[i] = moved;
  };
  for (let i = (size >> 1) - 1; i >= 0; i--) sink(i);
  const taken: number[] = [];
  while (size > 0 && more(taken.length, taken.at(-1))) {
    taken.push(heap[0] ?? 0);
    size--;
    heap[0] = heap[size] ?? 0;
    sink(0);
  }
  return taken;
}

function draw(kept: readonly Candidate[], point: number): number {
  let sum = 0;
  for (const { token, probability } of kept) {
    sum += probability;
    if (point < sum) return token;
  }
  return kept.at(-1)?.token ?? 0;
}

function penalise(logits: Float32Array, seen: ReadonlySet<number>, penalty: number): void {
  for (const token of seen) {
    const logit = logits[token];
    if (logit !== undefined) logits[token] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

/** A seeded generator of numbers in [0, 1) (mulberry32): the same sequence on every machine. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
