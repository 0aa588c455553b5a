// AssemblyScript. Matrix products of block-quantized weights and rows of activations. Weights are read as they lie in a package. Activations are
// 16-bit integers with a scale per block of 32. Sums are 32-bit integers within a block, and floats across blocks.
import * as layout from "../src/engine/kernel/layout/matrix";
import { halves, hasOffsets, leastUnpackedBytes, spillBytes } from "../src/engine/kernel/layout/sizes";
import { nextItem } from "./team";

/** Rows of weights in a work item. */
export const itemRows: i32 = 32;

/** The sum of four floats. */
export function sumLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/**
 * Quantizes a block: 32 floats at `x` → 32 i16 at `to`. Returns the scale. The integers are stored as elements 0, 4, 8 …, then 1, 5, 9 …, then 2 … and 3 …:
 * the order in which shifts and masks take 4-bit weights out of a vector.
 */
export function quantizeBlock(x: usize, to: usize): f32 {
  const a0 = v128.load(x),
    a1 = v128.load(x, 16),
    a2 = v128.load(x, 32),
    a3 = v128.load(x, 48);
  const a4 = v128.load(x, 64),
    a5 = v128.load(x, 80),
    a6 = v128.load(x, 96),
    a7 = v128.load(x, 112);
  // f32x4.max, which also cares for NaN, is several instructions on x86.
  let most = f32x4.pmax(
    f32x4.pmax(f32x4.pmax(f32x4.abs(a0), f32x4.abs(a1)), f32x4.pmax(f32x4.abs(a2), f32x4.abs(a3))),
    f32x4.pmax(f32x4.pmax(f32x4.abs(a4), f32x4.abs(a5)), f32x4.pmax(f32x4.abs(a6), f32x4.abs(a7))),
  );
  most = f32x4.pmax(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  const largest = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
  const inverse = f32x4.splat(largest > 0 ? 32767 / largest : 0);
  const q0 = toInt(a0, inverse),
    q1 = toInt(a1, inverse),
    q2 = toInt(a2, inverse),
    q3 = toInt(a3, inverse);
  const q4 = toInt(a4, inverse),
    q5 = toInt(a5, inverse),
    q6 = toInt(a6, inverse),
    q7 = toInt(a7, inverse);
  const low0 = v128.shuffle<i32>(q0, q1, 0, 4, 1, 5),
    low1 = v128.shuffle<i32>(q2, q3, 0, 4, 1, 5);
  const low2 = v128.shuffle<i32>(q4, q5, 0, 4, 1, 5),
    low3 = v128.shuffle<i32>(q6, q7, 0, 4, 1, 5);
  v128.store(to, i16x8.narrow_i32x4_s(firsts(low0, low1), firsts(low2, low3)));
  v128.store(to, i16x8.narrow_i32x4_s(seconds(low0, low1), seconds(low2, low3)), 16);
  const high0 = v128.shuffle<i32>(q0, q1, 2, 6, 3, 7),
    high1 = v128.shuffle<i32>(q2, q3, 2, 6, 3, 7);
  const high2 = v128.shuffle<i32>(q4, q5, 2, 6, 3, 7),
    high3 = v128.shuffle<i32>(q6, q7, 2, 6, 3, 7);
  v128.store(to, i16x8.narrow_i32x4_s(firsts(high0, high1), firsts(high2, high3)), 32);
  v128.store(to, i16x8.narrow_i32x4_s(seconds(high0, high1), seconds(high2, high3)), 48);
  return largest / 32767;
}

/** Rounds four floats of small magnitude to integers. */
function toInt(x: v128, inverse: v128): v128 {
  const magic = f32x4.splat(12582912);
  return i32x4.sub(f32x4.add(f32x4.mul(x, inverse), magic), i32x4.splat(0x4b400000));
}

/** The low halves of two vectors. */
function firsts(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 0, 2);
}

/** The high halves of two vectors. */
function seconds(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 1, 3);
}

/** The dot product of 32 unpacked weights and a quantized block of activations, in four partial sums. */
function dot32(w0: v128, w1: v128, w2: v128, w3: v128, x: usize): v128 {
  return i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(w0, v128.load(x)), i32x4.dot_i16x8_s(w1, v128.load(x, 16))),
    i32x4.add(i32x4.dot_i16x8_s(w2, v128.load(x, 32)), i32x4.dot_i16x8_s(w3, v128.load(x, 48))),
  );
}

/** Adds to four partial sums the dot product of a block of 4-bit weights and a block of activations. */
function add4(sum: v128, packed: v128, zero: v128, scale: usize, x: usize, xScale: usize): v128 {
  const nibble = i16x8.splat(15);
  const products = dot32(
    i16x8.sub(v128.and(packed, nibble), zero),
    i16x8.sub(v128.and(i16x8.shr_u(packed, 4), nibble), zero),
    i16x8.sub(v128.and(i16x8.shr_u(packed, 8), nibble), zero),
    i16x8.sub(i16x8.shr_u(packed, 12), zero),
    x,
  );
  return addScaled(sum, products, v128.load32_splat(scale), xScale);
}

/** The dot product of a row of 4-bit weights and a row of activations; bit for bit the one of unpacked weights. For `spill` see dotFourRows. */
function dotRow4(data: usize, scales: usize, zeros: usize, blocks: i32, x: usize, xScales: usize, spill: usize): f32 {
  let sum = f32x4.splat(0);
  const pairs = blocks >> 1;
  for (let p = 0; p < pairs; p++) {
    const zero: u32 = zeros ? load<u8>(zeros + p) : 0x88;
    sum = add4(sum, v128.load(data), i16x8.splat(<i16>(zero & 15)), scales, x, xScales);
    v128.store(spill, sum);
    sum = add4(sum, v128.load(data, 16), i16x8.splat(<i16>(zero >> 4)), scales + 4, x + 64, xScales + 4);
    data += 32;
    scales += 8;
    x += 128;
    xScales += 8;
  }
  if (blocks & 1) {
    const zero: u32 = zeros ? load<u8>(zeros + pairs) : 8;
    sum = add4(sum, v128.load(data), i16x8.splat(<i16>(zero & 15)), scales, x, xScales);
  }
  return sumLanes(sum);
}

/** 16 bytes in the order 0, 4, 8 …, 1, 5, 9 …, 2 …, 3 …. */
function fourths(x: v128): v128 {
  return v128.shuffle<i8>(x, x, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/** Unpacks a row of weights to i16, zero points subtracted, in the order of quantizeBlock. */
export function unpackRow(bits: i32, data: usize, zeros: usize, blocks: i32, to: usize): void {
  for (let b = 0; b < blocks; b++) {
    if (bits == 4) {
      const both: u32 = zeros ? load<u8>(zeros + (b >> 1)) : 0x88;
      const zero = i16x8.splat(<i16>(b & 1 ? both >> 4 : both & 15));
      const packed = v128.load(data);
      const nibble = i16x8.splat(15);
      v128.store(to, i16x8.sub(v128.and(packed, nibble), zero));
      v128.store(to, i16x8.sub(v128.and(i16x8.shr_u(packed, 4), nibble), zero), 16);
      v128.store(to, i16x8.sub(v128.and(i16x8.shr_u(packed, 8), nibble), zero), 32);
      v128.store(to, i16x8.sub(i16x8.shr_u(packed, 12), zero), 48);
      data += 16;
    } else {
      const zero = i16x8.splat(zeros ? <i16>load<u8>(zeros + b) : 128);
      const first = fourths(v128.load(data)),
        second = fourths(v128.load(data, 16));
      const low = v128.shuffle<i32>(first, second, 0, 4, 1, 5),
        high = v128.shuffle<i32>(first, second, 2, 6, 3, 7);
      v128.store(to, i16x8.sub(i16x8.extend_low_i8x16_u(low), zero));
      v128.store(to, i16x8.sub(i16x8.extend_high_i8x16_u(low), zero), 16);
      v128.store(to, i16x8.sub(i16x8.extend_low_i8x16_u(high), zero), 32);
      v128.store(to, i16x8.sub(i16x8.extend_high_i8x16_u(high), zero), 48);
      data += 32;
    }
    to += 64;
  }
}

/** Adds a block's integer sums, times both scales, to four partial sums. */
function addScaled(sum: v128, products: v128, scale: v128, xScale: usize): v128 {
  return f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(products), f32x4.mul(scale, v128.load32_splat(xScale))));
}

/** The dot product of a row of unpacked weights and a row of activations. */
export function dotRow(w: usize, scales: usize, blocks: i32, x: usize, xScales: usize): f32 {
  let sum = f32x4.splat(0);
  for (let b = 0; b < blocks; b++) {
    const products = dot32(v128.load(w), v128.load(w, 16), v128.load(w, 32), v128.load(w, 48), x);
    sum = addScaled(sum, products, v128.load32_splat(scales), xScales);
    w += 64;
    x += 64;
    scales += 4;
    xScales += 4;
  }
  return sumLanes(sum);
}

/**
 * The dot products of a row of unpacked weights and four rows of activations, which lie `xBytes` and `xScaleBytes` apart; results go `outBytes` apart.
 * The stores to `spill` are never read. They keep V8 from loading the activations of all four rows before it multiplies, for which there are not
 * enough registers: V8 does not move loads across a store.
 */
export function dotFourRows(
  w: usize,
  scales: usize,
  blocks: i32,
  x: usize,
  xBytes: usize,
  xScales: usize,
  xScaleBytes: usize,
  out: usize,
  outBytes: usize,
  bias: f32,
  spill: usize,
): void {
  let s0 = f32x4.splat(0),
    s1 = f32x4.splat(0),
    s2 = f32x4.splat(0),
    s3 = f32x4.splat(0);
  const x1 = xBytes,
    x2 = 2 * xBytes,
    x3 = 3 * xBytes;
  const y1 = xScaleBytes,
    y2 = 2 * xScaleBytes,
    y3 = 3 * xScaleBytes;
  for (let b = 0; b < blocks; b++) {
    const w0 = v128.load(w),
      w1 = v128.load(w, 16),
      w2 = v128.load(w, 32),
      w3 = v128.load(w, 48);
    const scale = v128.load32_splat(scales);
    s0 = addScaled(s0, dot32(w0, w1, w2, w3, x), scale, xScales);
    v128.store(spill, s0);
    s1 = addScaled(s1, dot32(w0, w1, w2, w3, x + x1), scale, xScales + y1);
    v128.store(spill, s1);
    s2 = addScaled(s2, dot32(w0, w1, w2, w3, x + x2), scale, xScales + y2);
    v128.store(spill, s2);
    s3 = addScaled(s3, dot32(w0, w1, w2, w3, x + x3), scale, xScales + y3);
    v128.store(spill, s3);
    w += 64;
    x += 64;
    scales += 4;
    xScales += 4;
  }
  store<f32>(out, sumLanes(s0) + bias);
  store<f32>(out + outBytes, sumLanes(s1) + bias);
  store<f32>(out + 2 * outBytes, sumLanes(s2) + bias);
  store<f32>(out + 3 * outBytes, sumLanes(s3) + bias);
}

/** A number per run of a block, in the lanes of a dot product's partial sums: the first two of the first 16 columns, the others of the rest. */
function perRun(numbers: usize, b: usize, run: i32): v128 {
  if (run == 32) return v128.load32_splat(numbers + (b << 2));
  const two = v128.load64_zero(numbers + (b << 3));
  return v128.shuffle<i32>(two, two, 0, 0, 1, 1);
}

/** As dotRow, for runs of 16 or with offsets: a block also adds its offsets times the sums of its activations. */
function dotRowOfRuns(w: usize, scales: usize, offsets: usize, run: i32, blocks: i32, x: usize, xScales: usize): f32 {
  const ones = i16x8.splat(1);
  let sum = f32x4.splat(0);
  for (let b: usize = 0; b < <usize>blocks; b++) {
    const xScale = v128.load32_splat(xScales + (b << 2));
    const products = dot32(v128.load(w), v128.load(w, 16), v128.load(w, 32), v128.load(w, 48), x);
    let part = f32x4.mul(f32x4.convert_i32x4_s(products), perRun(scales, b, run));
    if (offsets) {
      const sums = dot32(ones, ones, ones, ones, x);
      part = f32x4.add(part, f32x4.mul(f32x4.convert_i32x4_s(sums), perRun(offsets, b, run)));
    }
    sum = f32x4.add(sum, f32x4.mul(part, xScale));
    w += 64;
    x += 64;
  }
  return sumLanes(sum);
}

/** Bytes of the scratch of `matmulRows`, for at least two rows of unpacked weights. `unpackedBytes` of src/engine/kernel/memory.ts is the same. */
export function unpackedBytes(columns: i32): usize {
  return spillBytes + max((<usize>columns) << 2, leastUnpackedBytes);
}

/**
 * Rows [from, to) of a matrix times all rows of activations: f32 out[row of activations · stride + row of weights]. `scratch` holds a few rows of
 * unpacked weights, which stay in a core's L2 cache (of 1 MiB, say) while the activations go through its L1 cache, four rows at a time.
 */
export function matmulRows(
  matrix: usize,
  from: i32,
  to: i32,
  rows: i32,
  x: usize,
  xScales: usize,
  out: usize,
  stride: i32,
  scratch: usize,
): void {
  const form = load<i32>(matrix, layout.bits);
  const bits = form & 15;
  const columns = load<i32>(matrix, layout.columns);
  const blocks = columns >> 5;
  const xBytes = (<usize>blocks) << 6;
  const xScaleBytes = (<usize>blocks) << 2;
  const rowBytes = (<usize>(blocks * bits)) << 2;
  const zeroBytes = <usize>(bits == 4 ? (blocks + 1) >> 1 : blocks);
  const allData = load<usize>(matrix, layout.data),
    allScales = load<usize>(matrix, layout.scales),
    bias = load<usize>(matrix, layout.bias),
    shifts = load<usize>(matrix, layout.zeroPoints);
  const allOffsets: usize = form & hasOffsets ? shifts : 0,
    allZeros: usize = form & hasOffsets ? 0 : shifts;
  const run = form & halves ? 16 : 32;
  const isPlain = run == 32 && !allOffsets;
  const scaleBytes = run == 32 ? xScaleBytes : xScaleBytes << 1;
  const outBytes = (<usize>stride) << 2;
  const unpacked = scratch + spillBytes;
  if (rows == 1 && bits == 4 && isPlain) {
    for (let n = <usize>from; n < <usize>to; n++) {
      const zeros = allZeros ? allZeros + n * zeroBytes : 0;
      const sum = dotRow4(allData + n * rowBytes, allScales + n * xScaleBytes, zeros, blocks, x, xScales, scratch);
      store<f32>(out + (n << 2), sum + (bias ? load<f32>(bias + (n << 2)) : <f32>0));
    }
    return;
  }
  // Where all activations fit that L2 cache, each row of weights is best used as soon as it is unpacked.
  const group = <usize>rows * xBytes <= 1 << 20 ? 1 : <i32>((unpackedBytes(columns) - spillBytes) / xBytes);
  for (let first = from; first < to; first += group) {
    const last = min(first + group, to);
    for (let n = <usize>first; n < <usize>last; n++) {
      const zeros = allZeros ? allZeros + n * zeroBytes : 0;
      unpackRow(bits, allData + n * rowBytes, zeros, blocks, unpacked + (n - <usize>first) * xBytes);
    }
    for (let m = 0; m < rows; m += 4) {
      const a = x + <usize>m * xBytes,
        aScales = xScales + <usize>m * xScaleBytes;
      for (let n = <usize>first; n < <usize>last; n++) {
        const w = unpacked + (n - <usize>first) * xBytes;
        const scales = allScales + n * scaleBytes;
        const added = bias ? load<f32>(bias + (n << 2)) : <f32>0;
        const cell = out + <usize>m * outBytes + (n << 2);
        if (!isPlain) {
          const offsets = allOffsets ? allOffsets + n * scaleBytes : 0;
          for (let i: usize = 0; i < <usize>min(4, rows - m); i++) {
            const sum = dotRowOfRuns(w, scales, offsets, run, blocks, a + i * xBytes, aScales + i * xScaleBytes);
            store<f32>(cell + i * outBytes, sum + added);
          }
          continue;
        }
        if (m + 4 <= rows) {
          dotFourRows(w, scales, blocks, a, xBytes, aScales, xScaleBytes, cell, outBytes, added, scratch);
          continue;
        }
        for (let i: usize = 0; i < <usize>(rows - m); i++) {
          store<f32>(cell + i * outBytes, dotRow(w, scales, blocks, a + i * xBytes, aScales + i * xScaleBytes) + added);
        }
      }
    }
  }
}

/** A whole matrix times all rows of activations, as one phase of the team. */
export function matmul(matrix: usize, rows: i32, x: usize, xScales: usize, out: usize, scratch: usize): void {
  const outputs = load<i32>(matrix, layout.rows);
  const count = (outputs + itemRows - 1) / itemRows;
  for (let item = nextItem(count); item >= 0; item = nextItem(count)) {
    const from = item * itemRows;
    matmulRows(matrix, from, min(from + itemRows, outputs), rows, x, xScales, out, outputs, scratch);
  }
}
