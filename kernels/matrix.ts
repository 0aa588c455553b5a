// AssemblyScript. Products of block-quantized matrices and rows of activations: weights as they lie in a package, activations in 16-bit integers
// with a scale per block of 32, sums in 32-bit integers within a block and in floats across blocks.
import { nextPiece } from "./team";

/** A matrix: bits, rows, columns, data, scales, zero points or 0, bias or 0. */
export const MATRIX_BYTES: usize = 28;
/** Rows of weights per piece of work. */
export const pieceRows: i32 = 32;

export function sumLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** 32 floats → 32 integers of 16 bits: the even ones first, then the odd ones, as low and high nibbles come; returns the scale. */
export function narrowBlock(x: usize, to: usize): f32 {
  const a0 = v128.load(x),
    a1 = v128.load(x, 16),
    a2 = v128.load(x, 32),
    a3 = v128.load(x, 48);
  const a4 = v128.load(x, 64),
    a5 = v128.load(x, 80),
    a6 = v128.load(x, 96),
    a7 = v128.load(x, 112);
  let most = f32x4.max(
    f32x4.max(f32x4.max(f32x4.abs(a0), f32x4.abs(a1)), f32x4.max(f32x4.abs(a2), f32x4.abs(a3))),
    f32x4.max(f32x4.max(f32x4.abs(a4), f32x4.abs(a5)), f32x4.max(f32x4.abs(a6), f32x4.abs(a7))),
  );
  most = f32x4.max(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
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
  v128.store(to, i16x8.narrow_i32x4_s(evens(q0, q1), evens(q2, q3)));
  v128.store(to, i16x8.narrow_i32x4_s(evens(q4, q5), evens(q6, q7)), 16);
  v128.store(to, i16x8.narrow_i32x4_s(odds(q0, q1), odds(q2, q3)), 32);
  v128.store(to, i16x8.narrow_i32x4_s(odds(q4, q5), odds(q6, q7)), 48);
  return largest / 32767;
}

export function toInt(x: v128, inverse: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, inverse)));
}

export function evens(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

export function odds(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

/** The sum of 32 products of narrow weights and activations, four lanes. */
export function dot32(w0: v128, w1: v128, w2: v128, w3: v128, x: usize): v128 {
  return i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(w0, v128.load(x)), i32x4.dot_i16x8_s(w1, v128.load(x, 16))),
    i32x4.add(i32x4.dot_i16x8_s(w2, v128.load(x, 32)), i32x4.dot_i16x8_s(w3, v128.load(x, 48))),
  );
}

export function add4(sum: v128, packed: v128, zero: v128, scale: usize, x: usize, xScale: usize): v128 {
  const low = i8x16.sub(v128.and(packed, i8x16.splat(15)), zero);
  const high = i8x16.sub(v128.and(i16x8.shr_u(packed, 4), i8x16.splat(15)), zero);
  const products = dot32(
    i16x8.extend_low_i8x16_s(low),
    i16x8.extend_high_i8x16_s(low),
    i16x8.extend_low_i8x16_s(high),
    i16x8.extend_high_i8x16_s(high),
    x,
  );
  const scales = f32x4.mul(v128.load32_splat(scale), v128.load32_splat(xScale));
  return f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(products), scales));
}

/** One row of 4-bit weights times one row of activations; the same sum, bit for bit, as over unpacked weights. */
export function row4(data: usize, scales: usize, zeros: usize, blocks: i32, x: usize, xScales: usize): f32 {
  let sum = f32x4.splat(0);
  const pairs = blocks >> 1;
  for (let p = 0; p < pairs; p++) {
    const zero: u32 = zeros ? load<u8>(zeros + p) : 0x88;
    sum = add4(sum, v128.load(data), i8x16.splat(<i8>(zero & 15)), scales, x, xScales);
    sum = add4(sum, v128.load(data, 16), i8x16.splat(<i8>(zero >> 4)), scales + 4, x + 64, xScales + 4);
    data += 32;
    scales += 8;
    x += 128;
    xScales += 8;
  }
  if (blocks & 1) {
    const zero: u32 = zeros ? load<u8>(zeros + pairs) : 8;
    sum = add4(sum, v128.load(data), i8x16.splat(<i8>(zero & 15)), scales, x, xScales);
  }
  return sumLanes(sum);
}

/** One row of weights as narrow integers, in the activations' order. */
export function unpackRow(bits: i32, data: usize, zeros: usize, blocks: i32, to: usize): void {
  for (let b = 0; b < blocks; b++) {
    if (bits == 4) {
      const both: u32 = zeros ? load<u8>(zeros + (b >> 1)) : 0x88;
      const zero = i8x16.splat(<i8>(b & 1 ? both >> 4 : both & 15));
      const packed = v128.load(data);
      const low = i8x16.sub(v128.and(packed, i8x16.splat(15)), zero);
      const high = i8x16.sub(v128.and(i16x8.shr_u(packed, 4), i8x16.splat(15)), zero);
      v128.store(to, i16x8.extend_low_i8x16_s(low));
      v128.store(to, i16x8.extend_high_i8x16_s(low), 16);
      v128.store(to, i16x8.extend_low_i8x16_s(high), 32);
      v128.store(to, i16x8.extend_high_i8x16_s(high), 48);
      data += 16;
    } else {
      const zero = i16x8.splat(zeros ? <i16>load<u8>(zeros + b) : 128);
      const first = v128.load(data),
        second = v128.load(data, 16);
      v128.store(to, i16x8.sub(v128.and(first, i16x8.splat(255)), zero));
      v128.store(to, i16x8.sub(v128.and(second, i16x8.splat(255)), zero), 16);
      v128.store(to, i16x8.sub(i16x8.shr_u(first, 8), zero), 32);
      v128.store(to, i16x8.sub(i16x8.shr_u(second, 8), zero), 48);
      data += 32;
    }
    to += 64;
  }
}

/** Unpacked weights times one row of activations. */
export function rowNarrow(w: usize, scales: usize, blocks: i32, x: usize, xScales: usize): f32 {
  let sum = f32x4.splat(0);
  for (let b = 0; b < blocks; b++) {
    const products = dot32(v128.load(w), v128.load(w, 16), v128.load(w, 32), v128.load(w, 48), x);
    const both = f32x4.mul(v128.load32_splat(scales), v128.load32_splat(xScales));
    sum = f32x4.add(sum, f32x4.mul(f32x4.convert_i32x4_s(products), both));
    w += 64;
    x += 64;
    scales += 4;
    xScales += 4;
  }
  return sumLanes(sum);
}

/** Unpacked weights times four rows of activations that lie `xBytes` and `xScaleBytes` apart; sums go `outBytes` apart. */
export function fourRows(
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
    s0 = f32x4.add(
      s0,
      f32x4.mul(f32x4.convert_i32x4_s(dot32(w0, w1, w2, w3, x)), f32x4.mul(scale, v128.load32_splat(xScales))),
    );
    s1 = f32x4.add(
      s1,
      f32x4.mul(
        f32x4.convert_i32x4_s(dot32(w0, w1, w2, w3, x + x1)),
        f32x4.mul(scale, v128.load32_splat(xScales + y1)),
      ),
    );
    s2 = f32x4.add(
      s2,
      f32x4.mul(
        f32x4.convert_i32x4_s(dot32(w0, w1, w2, w3, x + x2)),
        f32x4.mul(scale, v128.load32_splat(xScales + y2)),
      ),
    );
    s3 = f32x4.add(
      s3,
      f32x4.mul(
        f32x4.convert_i32x4_s(dot32(w0, w1, w2, w3, x + x3)),
        f32x4.mul(scale, v128.load32_splat(xScales + y3)),
      ),
    );
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

/** Unpacked weights that are held at once, in bytes: at least two rows; src/engine/kernel-memory.ts has the same. */
export function unpackedBytes(columns: i32): usize {
  return max((<usize>columns) << 2, 65536);
}

/**
 * Rows [from, to) of a matrix times all rows of activations: out[row of activations · stride + row of weights]. `scratch` holds the unpacked weights: a few
 * rows, which stay in a core's second cache (of 1 MiB, say) while four rows of activations after the other go through its first.
 */
export function multiply(
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
  const bits = load<i32>(matrix);
  const columns = load<i32>(matrix, 8);
  const blocks = columns >> 5;
  const xBytes = (<usize>blocks) << 6;
  const xScaleBytes = (<usize>blocks) << 2;
  const rowBytes = (<usize>(blocks * bits)) << 2;
  const zeroBytes = <usize>(bits == 4 ? (blocks + 1) >> 1 : blocks);
  const allData = load<usize>(matrix, 12),
    allScales = load<usize>(matrix, 16),
    allZeros = load<usize>(matrix, 20),
    bias = load<usize>(matrix, 24);
  const outBytes = (<usize>stride) << 2;
  if (rows == 1 && bits == 4) {
    for (let n = <usize>from; n < <usize>to; n++) {
      const zeros = allZeros ? allZeros + n * zeroBytes : 0;
      const sum = row4(allData + n * rowBytes, allScales + n * xScaleBytes, zeros, blocks, x, xScales);
      store<f32>(out + (n << 2), sum + (bias ? load<f32>(bias + (n << 2)) : <f32>0));
    }
    return;
  }
  // Where all activations stay in that second cache, a row of weights is best used at once.
  const group = <usize>rows * xBytes <= 1 << 20 ? 1 : <i32>(unpackedBytes(columns) / xBytes);
  for (let first = from; first < to; first += group) {
    const last = min(first + group, to);
    for (let n = <usize>first; n < <usize>last; n++) {
      const zeros = allZeros ? allZeros + n * zeroBytes : 0;
      unpackRow(bits, allData + n * rowBytes, zeros, blocks, scratch + (n - <usize>first) * xBytes);
    }
    for (let m = 0; m < rows; m += 4) {
      const a = x + <usize>m * xBytes,
        aScales = xScales + <usize>m * xScaleBytes;
      for (let n = <usize>first; n < <usize>last; n++) {
        const w = scratch + (n - <usize>first) * xBytes;
        const scales = allScales + n * xScaleBytes;
        const added = bias ? load<f32>(bias + (n << 2)) : <f32>0;
        const cell = out + <usize>m * outBytes + (n << 2);
        if (m + 4 <= rows) {
          fourRows(w, scales, blocks, a, xBytes, aScales, xScaleBytes, cell, outBytes, added);
          continue;
        }
        for (let i: usize = 0; i < <usize>(rows - m); i++) {
          store<f32>(
            cell + i * outBytes,
            rowNarrow(w, scales, blocks, a + i * xBytes, aScales + i * xScaleBytes) + added,
          );
        }
      }
    }
  }
}

/** A whole matrix, in pieces shared out among the threads. */
export function product(matrix: usize, rows: i32, x: usize, xScales: usize, out: usize, scratch: usize): void {
  const outputs = load<i32>(matrix, 4);
  for (;;) {
    const from = nextPiece() * pieceRows;
    if (from >= outputs) return;
    multiply(matrix, from, min(from + pieceRows, outputs), rows, x, xScales, out, outputs, scratch);
  }
}
