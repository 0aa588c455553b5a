// AssemblyScript. Products of many rows of 16-bit integers with panels of eight others: a matrix product for pictures, and the two of their attention.
// A panel holds [pairs of columns, 8 outputs, 2], so that each result has a lane of its own, and only whole blocks are converted to floats and scaled.
// Buffers of rows are padded to whole fours, or sixes where activations are in digits (digits.ts); what padding computes is never read.
import * as layout from "../src/engine/kernel/layout/matrix";
import { halves, hasOffsets, spillBytes } from "../src/engine/kernel/layout/sizes";
import { digitRows, hasDigits, splitBlocks } from "./digits";
import { itemRows, matmulRows, quantizeBlock, unpackRow } from "./matrix";
import { nextItem } from "./team";

/** Blocks of columns whose panels lie in a thread's scratch at a time: 64 KB with their scales. Even, because two 4-bit zero points share a byte. */
const chunkBlocks: i32 = 24;
/**
 * Adds to f32 out[4, 8] the products of four rows and a panel, which have `pairs` pairs of columns and a scale per 16 pairs. Rows, rows' scales and
 * results are so many bytes apart; the panel's scales are f32 [blocks, 8]. The loop has one pair, because of several V8 would load all before it
 * multiplies, for which there are not enough registers.
 */
export function addTile(
  x: usize,
  xBytes: usize,
  xScales: usize,
  xScaleBytes: usize,
  panel: usize,
  panelScales: usize,
  pairs: i32,
  out: usize,
  outBytes: usize,
): void {
  const x2 = 2 * xBytes,
    x3 = 3 * xBytes;
  const last = x + ((<usize>pairs) << 2);
  while (x < last) {
    let a0 = i32x4.splat(0),
      a1 = i32x4.splat(0),
      a2 = i32x4.splat(0),
      a3 = i32x4.splat(0);
    let b0 = i32x4.splat(0),
      b1 = i32x4.splat(0),
      b2 = i32x4.splat(0),
      b3 = i32x4.splat(0);
    const end = min(x + 64, last);
    while (x < end) {
      const left = v128.load(panel),
        right = v128.load(panel, 16);
      let v = v128.load32_splat(x);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v, left));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v, right));
      v = v128.load32_splat(x + xBytes);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v, left));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v, right));
      v = v128.load32_splat(x + x2);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v, left));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(v, right));
      v = v128.load32_splat(x + x3);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v, left));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(v, right));
      panel += 32;
      x += 4;
    }
    const left = v128.load(panelScales),
      right = v128.load(panelScales, 16);
    let to = out;
    let scale = v128.load32_splat(xScales);
    v128.store(to, f32x4.add(v128.load(to), scaled(a0, left, scale)));
    v128.store(to, f32x4.add(v128.load(to, 16), scaled(b0, right, scale)), 16);
    to += outBytes;
    scale = v128.load32_splat(xScales + xScaleBytes);
    v128.store(to, f32x4.add(v128.load(to), scaled(a1, left, scale)));
    v128.store(to, f32x4.add(v128.load(to, 16), scaled(b1, right, scale)), 16);
    to += outBytes;
    scale = v128.load32_splat(xScales + 2 * xScaleBytes);
    v128.store(to, f32x4.add(v128.load(to), scaled(a2, left, scale)));
    v128.store(to, f32x4.add(v128.load(to, 16), scaled(b2, right, scale)), 16);
    to += outBytes;
    scale = v128.load32_splat(xScales + 3 * xScaleBytes);
    v128.store(to, f32x4.add(v128.load(to), scaled(a3, left, scale)));
    v128.store(to, f32x4.add(v128.load(to, 16), scaled(b3, right, scale)), 16);
    panelScales += 32;
    xScales += 4;
  }
}

/** Four sums of integers as floats, times their scales. */
export function scaled(sums: v128, scales: v128, xScale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(sums), f32x4.mul(scales, xScale));
}

/** Puts four rows of 32-bit words [4, pairs] into half a panel [pairs, 8]; `pairs` is a multiple of 4. */
export function packFour(rows: usize, rowBytes: usize, pairs: i32, to: usize): void {
  const end = rows + ((<usize>pairs) << 2);
  for (; rows < end; rows += 16) {
    const a = v128.load(rows),
      b = v128.load(rows + rowBytes),
      c = v128.load(rows + 2 * rowBytes),
      d = v128.load(rows + 3 * rowBytes);
    const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5),
      cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
    v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 32);
    const ef = v128.shuffle<i32>(a, b, 2, 6, 3, 7),
      gh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(ef, gh, 0, 2), 64);
    v128.store(to, v128.shuffle<i64>(ef, gh, 1, 3), 96);
    to += 128;
  }
}

/** Begins [rows, count] results at `first` with the bias of the matrix's rows from `from` on, or with 0. */
export function startRows(matrix: usize, from: i32, count: usize, rows: usize, first: usize, outBytes: usize): void {
  const bias = load<usize>(matrix, layout.bias);
  for (let m: usize = 0; m < rows; m++) {
    if (bias) memory.copy(first + m * outBytes, bias + ((<usize>from) << 2), count << 2);
    else memory.fill(first + m * outBytes, 0, count << 2);
  }
}

/** Quantizes a block of 32 floats as quantizeBlock of matrix.ts does, in the form in which panelRows reads activations. */
export function quantizeForPanels(x: usize, to: usize): f32 {
  const scale = quantizeBlock(x, to);
  if (hasDigits()) splitBlocks(to, 1);
  return scale;
}

/** As matmulRows of matrix.ts, for many rows; `out` is padded as the rows are. At most `itemRows` rows of weights. */
export function panelRows(
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
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (hasDigits()) {
      digitRows(matrix, from, to, rows, x, xScales, out, stride, scratch);
      return;
    }
  }
  const form = load<i32>(matrix, layout.bits);
  if ((form & (halves | hasOffsets)) != 0 || ((to - from) & 7) != 0) {
    matmulRows(matrix, from, to, rows, x, xScales, out, stride, scratch);
    return;
  }
  const blocks = load<i32>(matrix, layout.columns) >> 5;
  const rowBytes = (<usize>(blocks * form)) << 2;
  const zeroBytes = <usize>(form == 4 ? (blocks + 1) >> 1 : blocks);
  const data = load<usize>(matrix, layout.data) + <usize>from * rowBytes,
    scales = load<usize>(matrix, layout.scales) + <usize>(from * blocks) * 4,
    zeros = load<usize>(matrix, layout.zeroPoints);
  const xBytes = (<usize>blocks) << 6,
    xScaleBytes = (<usize>blocks) << 2,
    outBytes = (<usize>stride) << 2;
  const padded = <usize>((rows + 3) & ~3),
    count = <usize>(to - from);
  const first = out + ((<usize>from) << 2);
  startRows(matrix, from, count, padded, first, outBytes);
  const unpacked = scratch + spillBytes; // i16 [8, chunk · 32]
  const panels = unpacked + 8 * ((<usize>chunkBlocks) << 6); // [itemRows / 8, chunk · 16, 8]
  const panelScales = panels + <usize>itemRows * ((<usize>chunkBlocks) << 6); // f32 [itemRows / 8, chunk, 8]
  for (let block = 0; block < blocks; block += chunkBlocks) {
    const chunk = min(chunkBlocks, blocks - block);
    const chunkBytes = (<usize>chunk) << 6;
    const blockData = data + <usize>((block * form) << 2);
    const blockZeros = zeros ? zeros + <usize>from * zeroBytes + <usize>(form == 4 ? block >> 1 : block) : 0;
    for (let n: usize = 0; n < count; n++) {
      const row = n & 7;
      unpackRow(form, blockData + n * rowBytes, blockZeros ? blockZeros + n * zeroBytes : 0, chunk, unpacked + row * chunkBytes); // prettier-ignore
      const scaleRow = scales + ((n * <usize>blocks + <usize>block) << 2);
      const scaleTo = panelScales + (n >> 3) * (chunkBytes >> 1) + (row << 2);
      for (let b: usize = 0; b < <usize>chunk; b++) store<f32>(scaleTo + (b << 5), load<f32>(scaleRow + (b << 2)));
      if (row < 7) continue;
      const panel = panels + (n >> 3) * (chunkBytes << 3);
      packFour(unpacked, chunkBytes, chunk << 4, panel);
      packFour(unpacked + 4 * chunkBytes, chunkBytes, chunk << 4, panel + 16);
    }
    for (let m: usize = 0; m < padded; m += 4) {
      const a = x + m * xBytes + ((<usize>block) << 6),
        aScales = xScales + m * xScaleBytes + ((<usize>block) << 2);
      for (let n: usize = 0; n < count; n += 8) {
        const panel = panels + n * chunkBytes;
        const own = panelScales + (n >> 3) * (chunkBytes >> 1);
        addTile(a, xBytes, aScales, xScaleBytes, panel, own, chunk << 4, first + m * outBytes + (n << 2), outBytes);
      }
    }
  }
}

/** A whole matrix times many rows of activations, as one phase of the team. */
export function panelMatmul(matrix: usize, rows: i32, x: usize, xScales: usize, out: usize, scratch: usize): void {
  const outputs = load<i32>(matrix, layout.rows);
  const count = (outputs + itemRows - 1) / itemRows;
  for (let item = nextItem(count); item >= 0; item = nextItem(count)) {
    const from = item * itemRows;
    panelRows(matrix, from, min(from + itemRows, outputs), rows, x, xScales, out, outputs, scratch);
  }
}

/** Integers nearest to four floats times `inverse`, of small magnitude. */
export function nearest(x: v128, inverse: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, inverse), f32x4.splat(12582912)), i32x4.splat(0x4b400000));
}
