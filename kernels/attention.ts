// AssemblyScript. Attention of one query to one block of keys and values in f32, with an online softmax (FlashAttention, arXiv 2205.14135).
// A query's state is the largest score so far, the sum of the weights, and the weighted sum of the values, f32 [headSize].
import { stateHeadBytes } from "../src/engine/kernel/layout/sizes";
import { exponential, tanh } from "./functions";

/** The state before the first block; a row of values has `bytes` bytes. */
export function emptyState(state: usize, bytes: usize): void {
  store<f32>(state, -Infinity);
  store<f32>(state, 0, 4);
  memory.fill(state + stateHeadBytes, 0, bytes);
}

/**
 * Adds the first `count` positions of a block to the state, without the first `skipped` of them, at most 3. Rows have `bytes` bytes, a multiple of 64.
 * Scores are products times `factor`, or with a `cap` that is not 0, the cap times the hyperbolic tangent of these. `scores` is scratch, f32 [64]. The
 * result's bits do not depend on which other queries there are.
 */
export function attendBlock(
  query: usize,
  keys: usize,
  values: usize,
  count: i32,
  skipped: i32,
  bytes: usize,
  factor: f32,
  cap: f32,
  scores: usize,
  state: usize,
): void {
  const end = (<usize>count) << 2;
  for (let j: usize = 0; j < end; j += 16) fourScores(query, keys + (j >> 2) * bytes, bytes, factor, scores + j);
  if (cap != 0) {
    for (let j: usize = 0; j < end; j += 16)
      v128.store(scores + j, f32x4.mul(tanh(v128.load(scores + j)), f32x4.splat(cap)));
  }
  for (let j: usize = 0; j < (<usize>skipped) << 2; j += 4) store<f32>(scores + j, -Infinity);
  for (let j = end; (j & 15) != 0; j += 4) store<f32>(scores + j, -Infinity);
  let most = v128.load(scores);
  for (let j: usize = 16; j < end; j += 16) most = f32x4.max(most, v128.load(scores + j));
  most = f32x4.max(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  const before = load<f32>(state);
  const largest = max(before, max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)));
  const shrink = before == largest ? <f32>1 : f32x4.extract_lane(exponential(f32x4.splat(before - largest)), 0);
  let sum = f32x4.splat(0);
  for (let j: usize = 0; j < end; j += 16) {
    const score = v128.load(scores + j);
    const weight = v128.and(
      exponential(f32x4.sub(score, f32x4.splat(largest))),
      f32x4.gt(score, f32x4.splat(-Infinity)),
    );
    v128.store(scores + j, weight);
    sum = f32x4.add(sum, weight);
  }
  store<f32>(state, largest);
  const low = f32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  const added = f32x4.extract_lane(low, 0) + f32x4.extract_lane(low, 1);
  store<f32>(state, load<f32>(state, 4) * shrink + added, 4);
  for (let i: usize = 0; i < bytes; i += 64)
    weighSixteen(scores, end, values + i, bytes, f32x4.splat(shrink), state + stateHeadBytes + i);
}

/** The scores of a query and four keys: dot products times `factor`. */
function fourScores(query: usize, key: usize, bytes: usize, factor: f32, to: usize): void {
  const key1 = key + bytes,
    key2 = key1 + bytes,
    key3 = key2 + bytes;
  let a = f32x4.splat(0),
    b = f32x4.splat(0),
    c = f32x4.splat(0),
    d = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 32) {
    const p = v128.load(query + i),
      q = v128.load(query + i, 16);
    a = f32x4.add(f32x4.add(a, f32x4.mul(p, v128.load(key + i))), f32x4.mul(q, v128.load(key + i, 16)));
    b = f32x4.add(f32x4.add(b, f32x4.mul(p, v128.load(key1 + i))), f32x4.mul(q, v128.load(key1 + i, 16)));
    c = f32x4.add(f32x4.add(c, f32x4.mul(p, v128.load(key2 + i))), f32x4.mul(q, v128.load(key2 + i, 16)));
    d = f32x4.add(f32x4.add(d, f32x4.mul(p, v128.load(key3 + i))), f32x4.mul(q, v128.load(key3 + i, 16)));
  }
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  const all = f32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
  v128.store(to, f32x4.mul(all, f32x4.splat(factor)));
}

/** Scales 16 columns of the state's values by `shrink` and adds the block's values to them, each times its weight. */
function weighSixteen(weights: usize, end: usize, value: usize, bytes: usize, shrink: v128, to: usize): void {
  let a = f32x4.mul(v128.load(to), shrink),
    b = f32x4.mul(v128.load(to, 16), shrink),
    c = f32x4.mul(v128.load(to, 32), shrink),
    d = f32x4.mul(v128.load(to, 48), shrink);
  for (let j: usize = 0; j < end; j += 8) {
    const v = v128.load32_splat(weights + j),
      w = v128.load32_splat(weights + j, 4);
    // Positions go by twos. The one beyond an odd last has weight 0 and no value of its own, so the last one's is read again.
    const next = value + (j + 4 < end ? bytes : 0);
    a = f32x4.add(f32x4.add(a, f32x4.mul(v, v128.load(value))), f32x4.mul(w, v128.load(next)));
    b = f32x4.add(f32x4.add(b, f32x4.mul(v, v128.load(value, 16))), f32x4.mul(w, v128.load(next, 16)));
    c = f32x4.add(f32x4.add(c, f32x4.mul(v, v128.load(value, 32))), f32x4.mul(w, v128.load(next, 32)));
    d = f32x4.add(f32x4.add(d, f32x4.mul(v, v128.load(value, 48))), f32x4.mul(w, v128.load(next, 48)));
    value = next + bytes;
  }
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
}
