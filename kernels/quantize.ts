// AssemblyScript. Quantizes rows of a matrix in blocks of 32: from f32, f16 or bf16 to packed integers, scales and zero points while a block is at
// hand. The search is what src/convert/quantize-plain.ts says in plain words, to the same bits: a test holds the two together.
//
// Where it is fast. A block's values are mostly whole multiples of one power of two below 2^29 (16-bit floats always, but for blocks of extreme
// range), so Σxq is a sum of integers, the same in any order and equal to what 64-bit floats give. Roundings are made in f32, and wherever one
// lies so close to a half that 64 bits could round it the other way, that candidate is computed again in 64 bits. Blocks that do not fit and
// blocks with weights are computed in 64 bits, two candidates at a time, each summed in the order of its elements.

// One block's scratch.
const raw = memory.data(128, 16); // a row's last values with zeros behind them
const xs = memory.data(128, 16); // f32[32]
const xd = memory.data(256, 16); // f64[32]
const wd = memory.data(256, 16); // f64[32], weights of the errors
const high = memory.data(64, 16); // i16[32], the integers' upper bits
const low = memory.data(64, 16); // i16[32], their lower 15
const sums = memory.data(32, 16); // of two candidates: f64x2 Σxq, f64x2 Σqq

/** Where −8 … 7 put the largest value, in steps: from clipping it a little to leaving room above it. */
const peakSteps = memory.data<f64>([-8, -7.7, -7.4, -7.1, -6.8, -8.4, -8.8, -9.2, 7, 7.4, 7.8]);
const peakStepCount = 11;
/** How much of the range above and below zero is kept: clipping an end makes the steps between finer. */
const keptRanges = memory.data<f64>([1, 0.88, 0.76]);

/** Added to a small f32 it leaves the nearest integer in the lowest bits. */
const magic: f32 = 12582912;
const magicBits: i32 = 0x4b400000;
/** A remainder beyond this may be a half; the error of two roundings at values of at most 20 is 2.4e-6. */
const nearHalf: f32 = 0.499996;

/** What the integers of the block in `high` and `low` are multiplied by; 0: the block does not fit. */
let unit: f64 = 0;
// The sums of the candidate computed last.
let sumXq: f64 = 0;
let sumQq: f64 = 0;
// The symmetric search's and the whole search's result.
let bestScale: f64 = 0;
let bestZero: f64 = 0;

/**
 * `rows` rows of `cols` values at `from` (type 0: f32, 1: f16, 2: bf16; multiples of 16 bytes readable behind them). `weights`: f32 per column in
 * whole blocks, or 0. `data`, `scales` and, unless 0, `zeros` get what quantizeRows yields. Returns whether every value was finite; else stop there.
 */
export function quantize(
  from: usize,
  type: i32,
  rows: i32,
  cols: i32,
  bits: i32,
  weights: usize,
  data: usize,
  scales: usize,
  zeros: usize,
): bool {
  const blocks = (cols + 31) >> 5;
  const width: usize = type == 0 ? 4 : 2;
  const blockBytes: usize = (<usize>bits) << 2;
  const middle: i32 = 1 << (bits - 1);
  const zeroBytes: usize = (<usize>blocks * <usize>bits + 7) >> 3;
  const empty: i32 = bits == 4 ? 0x88 : 0x80;
  for (let i: usize = 0; i < 256; i += 8) store<f64>(wd + i, 1);
  for (let row = 0; row < rows; row++) {
    if (zeros) memory.fill(zeros, <u8>empty, zeroBytes);
    for (let b = 0; b < blocks; b++) {
      let source = from + ((<usize>b * width) << 5);
      const left = cols - (b << 5);
      if (left < 32) {
        memory.fill(raw, 0, 128);
        memory.copy(raw, source, <usize>left * width);
        source = raw;
      }
      if (!widen(source, type)) return false;
      const peak = signedPeak();
      let scale: f32 = 0;
      if (peak != 0) {
        if (weights)
          for (let i: usize = 0; i < 32; i++)
            store<f64>(wd + (i << 3), load<f32>(weights + (((<usize>b) << 7) + (i << 2))));
        prepare(peak, bits == 4 && weights == 0);
        bestScale = bits == 4 ? scaleOf4(peak) : weights ? scaleOf8(peak) : <f64>peak / -128;
        bestZero = middle;
        if (zeros) fitWithZero(bits);
        scale = <f32>bestScale;
      }
      store<f32>(scales, scale);
      scales += 4;
      if (scale == 0) {
        memory.fill(data, <u8>empty, blockBytes);
      } else {
        pack(scale, bits, data);
        if (zeros) {
          if (bits == 8) store<u8>(zeros + b, <u8>bestZero);
          else {
            const at = zeros + (b >> 1);
            const byte = load<u8>(at);
            const zero = <u8>bestZero;
            store<u8>(at, b & 1 ? (byte & 15) | (zero << 4) : (byte & 0xf0) | zero);
          }
        }
      }
      data += blockBytes;
    }
    from += <usize>cols * width;
    if (zeros) zeros += zeroBytes;
  }
  return true;
}

/** 32 values → xs; whether all are finite. */
function widen(from: usize, type: i32): bool {
  const infinite = i32x4.splat(0x7f800000);
  let bad = i32x4.splat(0);
  if (type == 0) {
    for (let i: usize = 0; i < 128; i += 16) {
      const x = v128.load(from + i);
      bad = v128.or(bad, i32x4.eq(v128.and(x, infinite), infinite));
      v128.store(xs + i, x);
    }
    return !v128.any_true(bad);
  }
  if (type == 2) {
    for (let i: usize = 0; i < 64; i += 8) {
      const x = i32x4.shl(v128.load16x4_u(from + i), 16);
      bad = v128.or(bad, i32x4.eq(v128.and(x, infinite), infinite));
      v128.store(xs + (i << 1), x);
    }
    return !v128.any_true(bad);
  }
  const exponent = i32x4.splat(0x0f800000);
  for (let i: usize = 0; i < 64; i += 8) {
    const half = v128.load16x4_u(from + i);
    const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16);
    const shifted = i32x4.shl(v128.and(half, i32x4.splat(0x7fff)), 13);
    const exponents = v128.and(shifted, exponent);
    bad = v128.or(bad, i32x4.eq(exponents, exponent));
    const normal = i32x4.add(shifted, i32x4.splat(112 << 23));
    // Subnormals: with the implicit bit as the lowest normal exponent has it, which is then taken away.
    const raised = f32x4.sub(i32x4.add(normal, i32x4.splat(1 << 23)), f32x4.splat(reinterpret<f32>(113 << 23)));
    const small = i32x4.eq(exponents, i32x4.splat(0));
    v128.store(xs + (i << 1), v128.or(sign, v128.bitselect(raised, normal, small)));
  }
  return !v128.any_true(bad);
}

/** The first value of largest magnitude, with its sign. */
function signedPeak(): f32 {
  let most = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) most = f32x4.pmax(most, f32x4.abs(v128.load(xs + i)));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
  for (let i: usize = 0; i < 128; i += 16) {
    const x = v128.load(xs + i);
    const found = i32x4.bitmask(f32x4.eq(f32x4.abs(x), most));
    if (found) return load<f32>(xs + i + ((<usize>ctz(found)) << 2));
  }
  return 0;
}

/** The block as f64, and as integers where it fits. */
function prepare(peak: f32, integers: bool): void {
  for (let i: usize = 0; i < 128; i += 8) v128.store(xd + (i << 1), f64x2.promote_low_f32x4(v128.load64_zero(xs + i)));
  unit = 0;
  const exponent = <i32>((reinterpret<u32>(peak) >> 23) & 255) - 127;
  if (!integers || exponent < -60 || exponent > 60) return;
  const times = f32x4.splat(reinterpret<f32>((28 - exponent + 127) << 23));
  let whole = i32x4.splat(-1);
  for (let i: usize = 0; i < 64; i += 16) {
    const a = f32x4.mul(v128.load(xs + (i << 1)), times);
    const b = f32x4.mul(v128.load(xs + (i << 1), 16), times);
    whole = v128.and(whole, v128.and(f32x4.eq(a, f32x4.trunc(a)), f32x4.eq(b, f32x4.trunc(b))));
    const m = i32x4.trunc_sat_f32x4_s(a);
    const n = i32x4.trunc_sat_f32x4_s(b);
    const mask = i32x4.splat(0x7fff);
    v128.store(high + i, i16x8.narrow_i32x4_s(i32x4.shr_s(m, 15), i32x4.shr_s(n, 15)));
    v128.store(low + i, i16x8.narrow_i32x4_s(v128.and(m, mask), v128.and(n, mask)));
  }
  if (i32x4.all_true(whole)) unit = reinterpret<f64>((<u64>(exponent - 28 + 1023)) << 52);
}

/** All four lanes' sum. */
function total(v: v128): i32 {
  const half = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(i32x4.add(half, v128.shuffle<i32>(half, half, 1, 0, 3, 2)), 0);
}

/** Σxq and Σqq of one 4-bit candidate of a block of integers; false: a rounding is too close to a half. */
function sumsOfIntegers(inverse: f64, zero: i32): bool {
  const times = f32x4.splat(<f32>inverse);
  const bias = f32x4.splat(magic);
  const biasBits = i32x4.splat(magicBits);
  const least = i16x8.splat(<i16>-zero);
  const most = i16x8.splat(<i16>(15 - zero));
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  let c = i32x4.splat(0);
  let rest = f32x4.splat(0);
  for (let i: usize = 0; i < 64; i += 16) {
    const p = f32x4.mul(v128.load(xs + (i << 1)), times);
    const r = f32x4.mul(v128.load(xs + (i << 1), 16), times);
    const m = f32x4.add(p, bias);
    const n = f32x4.add(r, bias);
    rest = f32x4.pmax(rest, f32x4.abs(f32x4.sub(p, f32x4.sub(m, bias))));
    rest = f32x4.pmax(rest, f32x4.abs(f32x4.sub(r, f32x4.sub(n, bias))));
    let q = i16x8.narrow_i32x4_s(i32x4.sub(m, biasBits), i32x4.sub(n, biasBits));
    q = i16x8.min_s(i16x8.max_s(q, least), most);
    a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load(high + i), q));
    b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load(low + i), q));
    c = i32x4.add(c, i32x4.dot_i16x8_s(q, q));
  }
  if (v128.any_true(f32x4.gt(rest, f32x4.splat(nearHalf)))) return false;
  sumXq = (<f64>total(a) * 32768 + <f64>total(b)) * unit;
  sumQq = <f64>total(c);
  return true;
}

/** The integers that two candidates make of one value, from 0 to top, as f64x2. */
function rounded(x: v128, inverse: v128, shift: v128, top: v128): v128 {
  return f64x2.trunc(f64x2.pmin(f64x2.pmax(f64x2.add(f64x2.mul(x, inverse), shift), f64x2.splat(0)), top));
}

/** Σxq and Σqq of two candidates → `sums`. */
function sumsOfTwo(inverse: v128, zero: v128, top: f64): void {
  const shift = f64x2.add(zero, f64x2.splat(0.5));
  const tops = f64x2.splat(top);
  let xq = f64x2.splat(0);
  let qq = f64x2.splat(0);
  for (let i: usize = 0; i < 256; i += 8) {
    const x = v128.load64_splat(xd + i);
    const q = f64x2.sub(rounded(x, inverse, shift, tops), zero);
    const wq = f64x2.mul(v128.load64_splat(wd + i), q);
    xq = f64x2.add(xq, f64x2.mul(x, wq));
    qq = f64x2.add(qq, f64x2.mul(q, wq));
  }
  v128.store(sums, xq);
  v128.store(sums, qq, 16);
}

/** The sums of one candidate. */
function sumsOfOne(inverse: f64, zero: f64, top: f64): void {
  if (unit != 0 && sumsOfIntegers(inverse, <i32>zero)) return;
  sumsOfTwo(f64x2.splat(inverse), f64x2.splat(zero), top);
  takeSums(0);
}

/** Of the two candidates in `sums` the first (0) or second (8). */
function takeSums(which: usize): void {
  sumXq = load<f64>(sums + which);
  sumQq = load<f64>(sums + which, 16);
}

/** What the candidate takes off the squared error: (Σxq)²/Σq². */
function scoreOf(): f64 {
  return sumQq > 0 ? (sumXq * sumXq) / sumQq : 0;
}

/** The 4-bit scale of least squared error among a few roundings. */
function scaleOf4(peak: f32): f64 {
  let best = <f64>peak / -8;
  let bestScore: f64 = 0;
  for (let step = 0; step < peakStepCount; step++) {
    const inverse = load<f64>(peakSteps + ((<usize>step) << 3)) / <f64>peak;
    if (unit != 0) {
      sumsOfOne(inverse, 8, 15);
    } else if (step & 1) {
      takeSums(8);
    } else {
      const next = load<f64>(peakSteps + ((<usize>min(step + 1, peakStepCount - 1)) << 3)) / <f64>peak;
      sumsOfTwo(f64x2.replace_lane(f64x2.splat(inverse), 1, next), f64x2.splat(8), 15);
      takeSums(0);
    }
    const score = scoreOf();
    if (score > bestScore) {
      bestScore = score;
      best = sumXq / sumQq;
    }
  }
  return best;
}

/** The 8-bit scale where errors are weighted: the best one for the rounding that puts the peak at −128. */
function scaleOf8(peak: f32): f64 {
  const plain = <f64>peak / -128;
  sumsOfOne(1 / plain, 128, 255);
  return sumQq > 0 ? sumXq / sumQq : plain;
}

/** As Math.round. */
function nearest(value: f64): f64 {
  const down = Math.floor(value);
  return value - down >= 0.5 ? down + 1 : down;
}

/** Scale and zero point of least squared error among a few ranges that hold zero, unless the symmetric fit in `bestScale` is as good. */
function fitWithZero(bits: i32): void {
  const top: f64 = <f64>((1 << bits) - 1);
  let least = f32x4.splat(0);
  let most = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const x = v128.load(xs + i);
    least = f32x4.pmin(least, x);
    most = f32x4.pmax(most, x);
  }
  least = f32x4.pmin(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1));
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  const bottom = <f64>min(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1));
  const peak = <f64>max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
  const symmetric = bestScale;
  const middle = bestZero;
  let scale = symmetric;
  let zero = middle;
  let bestScore: f64 = 0;
  const kept = bits == 4 ? 3 : 1;
  for (let l = 0; l < kept; l++) {
    const keptLow = bottom * load<f64>(keptRanges + ((<usize>l) << 3));
    for (let h = 0; h < kept; h++) {
      const first = (peak * load<f64>(keptRanges + ((<usize>h) << 3)) - keptLow) / top;
      const at = Math.min(top, nearest(-keptLow / first));
      if (!(at >= 0)) continue;
      sumsOfOne(1 / first, at, top);
      const score = scoreOf();
      if (score > bestScore) {
        bestScore = score;
        scale = sumXq / sumQq;
        zero = at;
      }
    }
  }
  // What rounding to either costs, the one found in the first lane.
  const scales = f64x2.replace_lane(f64x2.splat(scale), 1, symmetric);
  const zeros = f64x2.replace_lane(f64x2.splat(zero), 1, middle);
  const inverse = f64x2.div(f64x2.splat(1), scales);
  const shift = f64x2.add(zeros, f64x2.splat(0.5));
  const tops = f64x2.splat(top);
  let errors = f64x2.splat(0);
  for (let i: usize = 0; i < 256; i += 8) {
    const x = v128.load64_splat(xd + i);
    const q = rounded(x, inverse, shift, tops);
    const error = f64x2.sub(x, f64x2.mul(f64x2.sub(q, zeros), scales));
    errors = f64x2.add(errors, f64x2.mul(f64x2.mul(error, error), v128.load64_splat(wd + i)));
  }
  if (f64x2.extract_lane(errors, 0) < f64x2.extract_lane(errors, 1)) {
    bestScale = scale;
    bestZero = zero;
  }
}

/** Four values' integers, as i32x4. */
function fourOf(at: usize, scale: v128, zero: v128, top: v128): v128 {
  const half = f64x2.splat(0.5);
  const none = f64x2.splat(0);
  let a = f64x2.add(f64x2.add(f64x2.div(v128.load(at), scale), zero), half);
  let b = f64x2.add(f64x2.add(f64x2.div(v128.load(at, 16), scale), zero), half);
  a = i32x4.trunc_sat_f64x2_s_zero(f64x2.pmin(f64x2.pmax(a, none), top));
  b = i32x4.trunc_sat_f64x2_s_zero(f64x2.pmin(f64x2.pmax(b, none), top));
  return v128.shuffle<i64>(a, b, 0, 2);
}

/** The block's integers, packed, with its scale and `bestZero`. */
function pack(blockScale: f32, bits: i32, to: usize): void {
  const scale = f64x2.splat(<f64>blockScale);
  const zero = f64x2.splat(bestZero);
  const top = f64x2.splat(<f64>((1 << bits) - 1));
  for (let i: usize = 0; i < 256; i += 128) {
    const at = xd + i;
    const a = i16x8.narrow_i32x4_s(fourOf(at, scale, zero, top), fourOf(at + 32, scale, zero, top));
    const b = i16x8.narrow_i32x4_s(fourOf(at + 64, scale, zero, top), fourOf(at + 96, scale, zero, top));
    const bytes = i8x16.narrow_i16x8_u(a, b);
    if (bits == 8) {
      v128.store(to, bytes);
      to += 16;
    } else {
      const pairs = v128.and(v128.or(bytes, i16x8.shr_u(bytes, 4)), i16x8.splat(0xff));
      v128.store64_lane(to, i8x16.narrow_i16x8_u(pairs, pairs), 0);
      to += 8;
    }
  }
}
