// Chooses the next token from one row of logits: repetition penalty → temperature → top-k → top-p → min-p → draw.
// Pure numbers: knows no tokens' meaning and no model.
import type { Sampling } from "./types.ts";

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

/** What may be drawn after all filters, most likely first; probabilities sum to 1. Equal logits keep the order of their ids. */
export function candidates(logits: Float32Array, sampling: Sampling): Candidate[] {
  const { temperature, topK, topP, minP } = sampling;
  let max = -Infinity;
  for (const logit of logits) if (logit > max) max = logit;
  const weight = (logit: number): number => Math.exp((logit - max) / temperature);

  let order: number[];
  if (topK > 0 && topK < logits.length) {
    order = largest(logits, topK);
  } else {
    // top-p needs the whole mass but not the whole order: far tails are summed and never sorted.
    const floor = max + temperature * Math.log(Math.max(minP, 1e-9));
    const head: number[] = [];
    for (let i = 0; i < logits.length; i++) if ((logits[i] ?? -Infinity) >= floor) head.push(i);
    order = head.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
  }

  const weights = order.map((token) => weight(logits[token] ?? -Infinity));
  let kept = weights.length;
  if (topP < 1) {
    let mass = weights.reduce((sum, value) => sum + value, 0);
    if (!(topK > 0 && topK < logits.length)) {
      mass = 0;
      for (const logit of logits) mass += weight(logit);
    }
    const target = topP * mass;
    let sum = 0;
    kept = 0;
    while (kept < weights.length && (kept === 0 || sum < target)) sum += weights[kept++] ?? 0;
  }
  if (minP > 0) {
    const threshold = minP * (weights[0] ?? 0);
    while (kept > 1 && (weights[kept - 1] ?? 0) < threshold) kept--;
  }
  const total = weights.slice(0, kept).reduce((sum, value) => sum + value, 0);
  return order.slice(0, kept).map((token, i) => ({ token, probability: (weights[i] ?? 0) / total }));
}

/** Indices of the k largest values, largest first, in one pass with a heap of k. */
function largest(values: Float32Array, k: number): number[] {
  // A min-heap whose root is the worst of the k best: the smaller value, or the larger index of equals.
  const heap: number[] = [];
  const worse = (a: number, b: number): boolean => {
    const difference = (values[a] ?? 0) - (values[b] ?? 0);
    return difference < 0 || (difference === 0 && a > b);
  };
  const at = (i: number): number => heap[i] ?? 0;
  const swap = (i: number, j: number): void => {
    const kept = at(i);
    heap[i] = at(j);
    heap[j] = kept;
  };
  const sink = (): void => {
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && worse(at(child), at(least))) least = child;
      if (least === i) return;
      swap(i, least);
      i = least;
    }
  };
  for (let token = 0; token < values.length; token++) {
    if (heap.length < k) {
      heap.push(token);
      for (let i = heap.length - 1; i > 0;) {
        const parent = (i - 1) >> 1;
        if (!worse(at(i), at(parent))) break;
        swap(i, parent);
        i = parent;
      }
    } else if (worse(at(0), token)) {
      heap[0] = token;
      sink();
    }
  }
  return heap.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
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
