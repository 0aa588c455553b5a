// AssemblyScript. Quantizes rows of a matrix in blocks of 32: from f32, f16 or bf16 to packed integers, scales and zero points, in one pass over each
// block. src/convert/quantize/quantize-plain.ts is the same search written plainly; a test compares the bits of the two.
//
// Why it is fast. The values of most blocks are integers below 2^29 times one power of two (always for 16-bit floats, except in blocks of extreme
// range). Then Σxq is a sum of integers, which is the same in any order and equals the sum in f64. Values are rounded in f32. Where a value is so
// close to a half that f64 could round it the other way, its candidate is computed again in f64. Blocks whose values are no such integers, and blocks
// with weights, are computed in f64, two candidates at a time, each summed in the order of its elements. All candidates are summed before any is
// compared, so that no unpredictable branch stands between them and the processor can overlap them.

// One block's scratch.
const raw = memory.data(128, 16); // the last values of a row, padded with zeros
const xs = memory.data(128, 16); // f32[32]
const xd = memory.data(256, 16); // f64[32]
const wd = memory.data(256, 16); // f64[32], weights of the errors
const high = memory.data(64, 16); // i16[32], the integers' upper bits
const low = memory.data(64, 16); // i16[32], their lower 15
// Of up to 12 candidates, f64 each.
const inverses = memory.data(96, 16); // 1 / scale
const zeroPoints = memory.data(96, 16);
const xqs = memory.data(96, 16); // Σxq
const qqs = memory.data(96, 16); // Σqq
const scores = memory.data(96, 16);
const times = memory.data(96, 16); // the inverses as f32, each in 8 bytes
const leasts = memory.data(96, 16); // the negated zero points as i16, each in 8 bytes
const lost = memory.data(16, 16); // what rounding the first half of a block lost

/** The step that the block's peak is mapped to, per candidate: from clipping the peak a little to leaving room above it. */
const peakSteps = memory.data<f64>([-8, -7.7, -7.4, -7.1, -6.8, -8.4, -8.8, -9.2, 7, 7.4, 7.8, 0], 16);
const peakStepCount = 11;
/** The share of the range that is kept below and above zero, per candidate: clipping an end makes the steps finer. */
const keptBelow = memory.data<f64>([1, 1, 1, 0.88, 0.88, 0.88, 0.76, 0.76, 0.76, 1], 16);
const keptAbove = memory.data<f64>([1, 0.88, 0.76, 1, 0.88, 0.76, 1, 0.88, 0.76, 1], 16);
const rangeCount = 9;

/** Added to a small f32, this leaves the nearest integer in its lowest bits. */
const magic: f32 = 12582912;
const magicBits: i32 = 0x4b400000;
/** A remainder above this may be a half in f64: two f32 roundings of values up to 20 err by 2.4e-6. */
const nearHalf: f32 = 0.499996;
const nearHalfSquared: f32 = 0.24999599;

/** The block's values are the integers in `high` and `low` times this; 0 where they are not. */
let unit: f64 = 0;
/** Whether `xd` holds the block's values. */
let doubled: bool = false;
// The result of the symmetric search, and then of the whole search.
let bestScale: f64 = 0;
let bestZero: f64 = 0;

/**
 * Quantizes `rows` rows of `cols` values at `from` (type 0: f32, 1: f16, 2: bf16; the memory is readable up to a multiple of 16 bytes behind them).
 * `weights` are f32 per column, padded to whole blocks, or 0. Writes to `data`, `scales` and, unless 0, `zeros` what quantizeRows returns. Returns
 * false, and stops there, at the first block with a value that is not finite.
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

/** Converts 32 values to f32 in `xs`; returns whether all are finite. */
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
    // Subnormals get the implicit bit of the lowest normal exponent, which is subtracted again.
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
  let found = 0;
  for (let i: usize = 0; i < 128; i += 16)
    found |= i32x4.bitmask(f32x4.eq(f32x4.abs(v128.load(xs + i)), most)) << ((<i32>i) >> 2);
  return load<f32>(xs + ((<usize>ctz(found)) << 2));
}

/** Converts the block to f64 in `xd`, once. */
function double(): void {
  if (doubled) return;
  doubled = true;
  for (let i: usize = 0; i < 128; i += 8) v128.store(xd + (i << 1), f64x2.promote_low_f32x4(v128.load64_zero(xs + i)));
}

/** Converts the block to integers in `high` and `low`, and sets `unit`, where the values are such integers. */
function prepare(peak: f32, integers: bool): void {
  doubled = false;
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

/** The sum of four lanes. */
function total(v: v128): i32 {
  const half = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(i32x4.add(half, v128.shuffle<i32>(half, half, 1, 0, 3, 2)), 0);
}

/** The integers nearest to eight floats. */
function nearest8(p: v128, r: v128): v128 {
  const bias = f32x4.splat(magic);
  const biasBits = i32x4.splat(magicBits);
  return i16x8.narrow_i32x4_s(i32x4.sub(f32x4.add(p, bias), biasBits), i32x4.sub(f32x4.add(r, bias), biasBits));
}

/** The squared rounding errors of eight floats, the larger of each pair. */
function lost8(p: v128, r: v128): v128 {
  const bias = f32x4.splat(magic);
  const l = f32x4.sub(p, f32x4.sub(f32x4.add(p, bias), bias));
  const m = f32x4.sub(r, f32x4.sub(f32x4.add(r, bias), bias));
  return f32x4.pmax(f32x4.mul(l, l), f32x4.mul(m, m));
}

/**
 * Σxq and Σqq of one 4-bit candidate of a block of integers. Returns whether a value is too close to a half. Unrolled, because in a loop V8 would compute
 * what all values share again each time.
 */
function sumIntegers(candidate: usize): bool {
  const inverse = v128.load32_splat(times + candidate);
  const least = v128.load16_splat(leasts + candidate);
  const most = i16x8.add(least, i16x8.splat(15));
  const p0 = f32x4.mul(v128.load(xs), inverse),
    p1 = f32x4.mul(v128.load(xs, 16), inverse);
  const q0 = i16x8.min_s(i16x8.max_s(nearest8(p0, p1), least), most);
  const p2 = f32x4.mul(v128.load(xs, 32), inverse),
    p3 = f32x4.mul(v128.load(xs, 48), inverse);
  const q1 = i16x8.min_s(i16x8.max_s(nearest8(p2, p3), least), most);
  // The store makes V8 compute it here, and not where all registers are in use.
  v128.store(lost, f32x4.pmax(lost8(p0, p1), lost8(p2, p3)));
  const p4 = f32x4.mul(v128.load(xs, 64), inverse),
    p5 = f32x4.mul(v128.load(xs, 80), inverse);
  const q2 = i16x8.min_s(i16x8.max_s(nearest8(p4, p5), least), most);
  const p6 = f32x4.mul(v128.load(xs, 96), inverse),
    p7 = f32x4.mul(v128.load(xs, 112), inverse);
  const q3 = i16x8.min_s(i16x8.max_s(nearest8(p6, p7), least), most);
  const rest = f32x4.pmax(v128.load(lost), f32x4.pmax(lost8(p4, p5), lost8(p6, p7)));
  const a = i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(v128.load(high), q0), i32x4.dot_i16x8_s(v128.load(high, 16), q1)),
    i32x4.add(i32x4.dot_i16x8_s(v128.load(high, 32), q2), i32x4.dot_i16x8_s(v128.load(high, 48), q3)),
  );
  const b = i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(v128.load(low), q0), i32x4.dot_i16x8_s(v128.load(low, 16), q1)),
    i32x4.add(i32x4.dot_i16x8_s(v128.load(low, 32), q2), i32x4.dot_i16x8_s(v128.load(low, 48), q3)),
  );
  const c = i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(q0, q0), i32x4.dot_i16x8_s(q1, q1)),
    i32x4.add(i32x4.dot_i16x8_s(q2, q2), i32x4.dot_i16x8_s(q3, q3)),
  );
  store<f64>(xqs + candidate, (<f64>total(a) * 32768 + <f64>total(b)) * unit);
  store<f64>(qqs + candidate, <f64>total(c));
  return v128.any_true(f32x4.gt(rest, f32x4.splat(nearHalfSquared)));
}

/** One value quantized by two candidates, integers from 0 to `top`, as f64x2. */
function rounded(x: v128, inverse: v128, shift: v128, top: v128): v128 {
  return f64x2.trunc(f64x2.pmin(f64x2.pmax(f64x2.add(f64x2.mul(x, inverse), shift), f64x2.splat(0)), top));
}

/** Σxq and Σqq of two candidates in f64; the two may be the same. */
function sumTwo(one: usize, other: usize, top: f64): void {
  const inverse = f64x2.replace_lane(v128.load64_splat(inverses + one), 1, load<f64>(inverses + other));
  const zero = f64x2.replace_lane(v128.load64_splat(zeroPoints + one), 1, load<f64>(zeroPoints + other));
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
  v128.store64_lane(xqs + one, xq, 0);
  v128.store64_lane(qqs + one, qq, 0);
  v128.store64_lane(xqs + other, xq, 1);
  v128.store64_lane(qqs + other, qq, 1);
}

/** Writes two candidates' scales and zero points. */
function candidates(at: usize, inverse: v128, zero: v128): void {
  v128.store(inverses + at, inverse);
  v128.store(zeroPoints + at, zero);
  const narrow = f32x4.demote_f64x2_zero(inverse);
  v128.store(times + at, v128.shuffle<i32>(narrow, narrow, 0, 2, 1, 3));
  const least = i32x4.trunc_sat_f64x2_s_zero(f64x2.neg(zero));
  v128.store(leasts + at, v128.shuffle<i32>(least, least, 0, 2, 1, 3));
}

/** Σxq and Σqq of the first `count` candidates. */
function sumAll(count: i32, top: f64): void {
  const end = (<usize>count) << 3;
  if (unit == 0) {
    double();
    for (let k: usize = 0; k < end; k += 16) sumTwo(k, min(k + 8, end - 8), top);
    return;
  }
  let doubtful = 0;
  for (let k: usize = 0; k < end; k += 8) doubtful |= (<i32>sumIntegers(k)) << ((<i32>k) >> 3);
  for (; doubtful; doubtful &= doubtful - 1) {
    double();
    const k = (<usize>ctz(doubtful)) << 3;
    sumTwo(k, k, top);
  }
}

/**
 * The candidate that lowers the squared error most, by (Σxq)²/Σqq; the first of equals; −1 where none lowers it. `count` is odd. A candidate of 0/0 never
 * compares as greater.
 */
function bestOf(count: i32): i32 {
  const end = (<usize>count) << 3;
  store<f64>(xqs + end, 0);
  let most = f64x2.splat(0);
  for (let k: usize = 0; k < end; k += 16) {
    const xq = v128.load(xqs + k);
    const score = f64x2.div(f64x2.mul(xq, xq), v128.load(qqs + k));
    v128.store(scores + k, score);
    most = f64x2.pmax(most, score);
  }
  most = f64x2.pmax(most, v128.shuffle<i64>(most, most, 1, 0));
  if (f64x2.extract_lane(most, 0) == 0) return -1;
  let found = 0;
  for (let k: usize = 0; k < end; k += 16)
    found |= i64x2.bitmask(f64x2.eq(v128.load(scores + k), most)) << ((<i32>k) >> 3);
  return ctz(found);
}

/** The scale with the least squared error for one candidate's integers. */
function scaleOf(index: i32): f64 {
  return load<f64>(xqs + ((<usize>index) << 3)) / load<f64>(qqs + ((<usize>index) << 3));
}

/** The 4-bit scale with the least squared error among the candidates of `peakSteps`. */
function scaleOf4(peak: f32): f64 {
  const peaks = f64x2.splat(<f64>peak);
  for (let k: usize = 0; k < (<usize>peakStepCount) << 3; k += 16)
    candidates(k, f64x2.div(v128.load(peakSteps + k), peaks), f64x2.splat(8));
  sumAll(peakStepCount, 15);
  const best = bestOf(peakStepCount);
  return best < 0 ? <f64>peak / -8 : scaleOf(best);
}

/** The 8-bit scale for weighted errors: the best one for the integers that map the peak to −128. */
function scaleOf8(peak: f32): f64 {
  const plain = <f64>peak / -128;
  candidates(0, f64x2.splat(1 / plain), f64x2.splat(128));
  sumAll(1, 255);
  return load<f64>(qqs) > 0 ? scaleOf(0) : plain;
}

/** The squared error of one candidate's integers at a scale, without Σx². */
function errorOf(index: i32, scale: f64): f64 {
  const at = (<usize>index) << 3;
  return (load<f64>(qqs + at) * scale - 2 * load<f64>(xqs + at)) * scale;
}

/** The scale and zero point with the least squared error among a few ranges that contain zero, unless the symmetric fit in `bestScale` is as good. */
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
  const tops = f64x2.splat(top);
  const count = bits == 4 ? rangeCount : 1;
  for (let k: usize = 0; k < (<usize>count) << 3; k += 16) {
    const keptLow = f64x2.mul(f64x2.splat(bottom), v128.load(keptBelow + k));
    const keptHigh = f64x2.mul(f64x2.splat(peak), v128.load(keptAbove + k));
    const first = f64x2.div(f64x2.sub(keptHigh, keptLow), tops);
    // Rounds as Math.round does.
    const at = f64x2.div(f64x2.neg(keptLow), first);
    const down = f64x2.floor(at);
    const up = v128.and(f64x2.ge(f64x2.sub(at, down), f64x2.splat(0.5)), f64x2.splat(1));
    candidates(k, f64x2.div(f64x2.splat(1), first), f64x2.pmin(f64x2.add(down, up), tops));
  }
  sumAll(count, top);
  const best = bestOf(count);
  const scale = best < 0 ? symmetric : scaleOf(best);
  const zero = best < 0 ? middle : load<f64>(zeroPoints + ((<usize>best) << 3));
  // Compares the fit that was found (first lane) with the symmetric one.
  const scales = f64x2.replace_lane(f64x2.splat(scale), 1, symmetric);
  const zeros = f64x2.replace_lane(f64x2.splat(zero), 1, middle);
  const inverse = f64x2.div(f64x2.splat(1), scales);
  if (unit != 0) {
    // Σ(x − sq)² without Σx², from integer sums: enough where the two differ by more than rounding errors could.
    candidates(0, inverse, zeros);
    sumAll(2, top);
    const more = errorOf(1, symmetric) - errorOf(0, scale);
    const size = Math.max(peak, -bottom);
    if (Math.abs(more) > size * size * 1e-9) {
      if (more > 0) {
        bestScale = scale;
        bestZero = zero;
      }
      return;
    }
  }
  double();
  const shift = f64x2.add(zeros, f64x2.splat(0.5));
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

/** Four values quantized, as i32x4. */
function fourOf(at: usize, scale: v128, zero: v128, top: v128): v128 {
  const half = f64x2.splat(0.5);
  const none = f64x2.splat(0);
  let a = f64x2.add(f64x2.add(f64x2.div(v128.load(at), scale), zero), half);
  let b = f64x2.add(f64x2.add(f64x2.div(v128.load(at, 16), scale), zero), half);
  a = i32x4.trunc_sat_f64x2_s_zero(f64x2.pmin(f64x2.pmax(a, none), top));
  b = i32x4.trunc_sat_f64x2_s_zero(f64x2.pmin(f64x2.pmax(b, none), top));
  return v128.shuffle<i64>(a, b, 0, 2);
}

/** Packs the block at 4 bits from f32 products; returns false where a value is too close to a half. */
function pack4(blockScale: f32, to: usize): bool {
  const times = f32x4.splat(<f32>(1 / <f64>blockScale));
  const zero = i16x8.splat(<i16>bestZero);
  const bias = f32x4.splat(magic);
  const biasBits = i32x4.splat(magicBits);
  let rest = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 64) {
    const p0 = f32x4.mul(v128.load(xs + i), times);
    const p1 = f32x4.mul(v128.load(xs + i, 16), times);
    const p2 = f32x4.mul(v128.load(xs + i, 32), times);
    const p3 = f32x4.mul(v128.load(xs + i, 48), times);
    const m0 = f32x4.add(p0, bias);
    const m1 = f32x4.add(p1, bias);
    const m2 = f32x4.add(p2, bias);
    const m3 = f32x4.add(p3, bias);
    rest = f32x4.pmax(rest, f32x4.abs(f32x4.sub(p0, f32x4.sub(m0, bias))));
    rest = f32x4.pmax(rest, f32x4.abs(f32x4.sub(p1, f32x4.sub(m1, bias))));
    rest = f32x4.pmax(rest, f32x4.abs(f32x4.sub(p2, f32x4.sub(m2, bias))));
    rest = f32x4.pmax(rest, f32x4.abs(f32x4.sub(p3, f32x4.sub(m3, bias))));
    const a = i16x8.narrow_i32x4_s(i32x4.sub(m0, biasBits), i32x4.sub(m1, biasBits));
    const b = i16x8.narrow_i32x4_s(i32x4.sub(m2, biasBits), i32x4.sub(m3, biasBits));
    storePairs(
      to + (i >> 3),
      i8x16.min_u(i8x16.narrow_i16x8_u(i16x8.add(a, zero), i16x8.add(b, zero)), i8x16.splat(15)),
    );
  }
  return !v128.any_true(f32x4.gt(rest, f32x4.splat(nearHalf)));
}

/** Packs 16 integers of 4 bits, each in a byte, to 8 bytes. */
function storePairs(to: usize, bytes: v128): void {
  const pairs = v128.and(v128.or(bytes, i16x8.shr_u(bytes, 4)), i16x8.splat(0xff));
  v128.store64_lane(to, i8x16.narrow_i16x8_u(pairs, pairs), 0);
}

/** Quantizes the block with this scale and `bestZero`, and packs it. */
function pack(blockScale: f32, bits: i32, to: usize): void {
  if (unit != 0 && pack4(blockScale, to)) return;
  double();
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
      storePairs(to, bytes);
      to += 8;
    }
  }
}
