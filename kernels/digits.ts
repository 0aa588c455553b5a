// AssemblyScript. The products of panels.ts on machines whose relaxed dot product adds 16 products of bytes at once. A 16-bit activation is two digits
// of 8 bits there, multiplied one after the other; sums are the same integers as those of 16-bit products, so results are equal in every bit.
// Only the build with relaxed SIMD has any of this; whether a machine can is found out by trying (`chooseDigits`).
import * as layout from "../src/engine/kernel/layout/matrix";
import { spillBytes } from "../src/engine/kernel/layout/sizes";
import { itemRows, unpackRow } from "./matrix";
import { packFour, scaled, startRows } from "./panels";

/** Rows of activations in a tile, which has 12 vectors of sums: with weights and an activation that is what 16 registers hold. */
const tileRows: usize = 6;
/** Blocks of columns whose panels lie in a thread's scratch at a time, as in panels.ts; 32 rows of panels take 30 KB. */
const chunkBlocks: i32 = 24;
/** Bytes of a panel per block: 8 steps of 8 outputs' 4 columns; and of its scales, f32 [8], and what its sums begin with, i32 [8]. */
const panelBlockBytes: usize = 256,
  scaleBlockBytes: usize = 64;

/** What activations are xored with, so that their bytes are as the relaxed dot product reads its second operand; 0: no digits. */
let mask: i32 = 0;

/** Whether activations are in digits; for every thread, before a job's first product. `isAllowed` is whether all matrices can be multiplied so. */
export function chooseDigits(isAllowed: bool): void {
  mask = 0;
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (!isAllowed) return;
    // Wasm leaves open whether bytes above 127 are read as negative, and whether sums of two products end at 16 bits.
    const least = i8x16.splat(-128);
    const ones = dotBytes(least, i8x16.splat(-1)),
      leasts = dotBytes(least, least);
    if (ones == -4 * 128 * 255 && leasts == -4 * 128 * 128) mask = 0x8000;
    if (ones == 4 * 128 && leasts == 4 * 128 * 128) mask = 0x80;
  }
}

export function hasDigits(): bool {
  return mask != 0;
}

/** The first of four sums of four products. */
function dotBytes(weights: v128, activations: v128): i32 {
  return i32x4.extract_lane(i32x4.relaxed_dot_i8x16_i7x16_add_s(weights, activations, i32x4.splat(0)), 0);
}

/** Turns quantized blocks of 32 i16 into 32 high digits and then 32 low ones, in place. */
export function splitBlocks(at: usize, blocks: i32): void {
  const own = i16x8.splat(<i16>mask);
  for (const end = at + ((<usize>blocks) << 6); at < end; at += 64) {
    const a = v128.xor(v128.load(at), own),
      b = v128.xor(v128.load(at, 16), own),
      c = v128.xor(v128.load(at, 32), own),
      d = v128.xor(v128.load(at, 48), own);
    v128.store(at, v128.shuffle<i8>(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
    v128.store(at, v128.shuffle<i8>(c, d, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31), 16);
    v128.store(at, v128.shuffle<i8>(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), 32);
    v128.store(at, v128.shuffle<i8>(c, d, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), 48);
  }
}

/**
 * Adds to f32 out[6, 8] the products of six rows of digits and a panel of `blocks` blocks. Rows, rows' scales and results are so many bytes apart. Longer
 * than functions are elsewhere: its sums have to be variables to be registers.
 */
function addDigitTile(
  x: usize,
  xBytes: usize,
  xScales: usize,
  xScaleBytes: usize,
  panel: usize,
  panelScales: usize,
  blocks: i32,
  out: usize,
  outBytes: usize,
): void {
  const x2 = 2 * xBytes,
    x3 = 3 * xBytes,
    x4 = 4 * xBytes,
    x5 = 5 * xBytes;
  const last = x + ((<usize>blocks) << 6);
  while (x < last) {
    let a0 = i32x4.splat(0),
      a1 = i32x4.splat(0),
      a2 = i32x4.splat(0),
      a3 = i32x4.splat(0),
      a4 = i32x4.splat(0),
      a5 = i32x4.splat(0);
    let b0 = i32x4.splat(0),
      b1 = i32x4.splat(0),
      b2 = i32x4.splat(0),
      b3 = i32x4.splat(0),
      b4 = i32x4.splat(0),
      b5 = i32x4.splat(0);
    for (let digit = 0; ; digit++) {
      const end = x + 32;
      do {
        const left = v128.load(panel),
          right = v128.load(panel, 16);
        let v = v128.load32_splat(x);
        a0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, v, a0);
        b0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, v, b0);
        v = v128.load32_splat(x + xBytes);
        a1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, v, a1);
        b1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, v, b1);
        v = v128.load32_splat(x + x2);
        a2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, v, a2);
        b2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, v, b2);
        v = v128.load32_splat(x + x3);
        a3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, v, a3);
        b3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, v, b3);
        v = v128.load32_splat(x + x4);
        a4 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, v, a4);
        b4 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, v, b4);
        v = v128.load32_splat(x + x5);
        a5 = i32x4.relaxed_dot_i8x16_i7x16_add_s(left, v, a5);
        b5 = i32x4.relaxed_dot_i8x16_i7x16_add_s(right, v, b5);
        panel += 32;
        x += 4;
      } while (x < end);
      if (digit == 1) break;
      panel -= panelBlockBytes;
      const left = v128.load(panelScales, 32),
        right = v128.load(panelScales, 48);
      a0 = i32x4.add(i32x4.shl(a0, 8), left);
      a1 = i32x4.add(i32x4.shl(a1, 8), left);
      a2 = i32x4.add(i32x4.shl(a2, 8), left);
      a3 = i32x4.add(i32x4.shl(a3, 8), left);
      a4 = i32x4.add(i32x4.shl(a4, 8), left);
      a5 = i32x4.add(i32x4.shl(a5, 8), left);
      b0 = i32x4.add(i32x4.shl(b0, 8), right);
      b1 = i32x4.add(i32x4.shl(b1, 8), right);
      b2 = i32x4.add(i32x4.shl(b2, 8), right);
      b3 = i32x4.add(i32x4.shl(b3, 8), right);
      b4 = i32x4.add(i32x4.shl(b4, 8), right);
      b5 = i32x4.add(i32x4.shl(b5, 8), right);
    }
    const left = v128.load(panelScales),
      right = v128.load(panelScales, 16);
    addScaledPair(out, a0, b0, left, right, xScales);
    addScaledPair(out + outBytes, a1, b1, left, right, xScales + xScaleBytes);
    addScaledPair(out + 2 * outBytes, a2, b2, left, right, xScales + 2 * xScaleBytes);
    addScaledPair(out + 3 * outBytes, a3, b3, left, right, xScales + 3 * xScaleBytes);
    addScaledPair(out + 4 * outBytes, a4, b4, left, right, xScales + 4 * xScaleBytes);
    addScaledPair(out + 5 * outBytes, a5, b5, left, right, xScales + 5 * xScaleBytes);
    panelScales += scaleBlockBytes;
    xScales += 4;
  }
}

/** Adds eight sums of integers, times their scales, to a row of results. */
function addScaledPair(to: usize, a: v128, b: v128, left: v128, right: v128, xScale: usize): void {
  const scale = v128.load32_splat(xScale);
  v128.store(to, f32x4.add(v128.load(to), scaled(a, left, scale)));
  v128.store(to, f32x4.add(v128.load(to, 16), scaled(b, right, scale)), 16);
}

/** As panelRows of panels.ts, for activations in digits, and padded to whole sixes. `to` − `from` is a multiple of 8. */
export function digitRows(
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
  const bits = load<i32>(matrix, layout.bits);
  const blocks = load<i32>(matrix, layout.columns) >> 5;
  const rowBytes = (<usize>(blocks * bits)) << 2;
  const zeroBytes = <usize>((blocks + 1) >> 1);
  const data = load<usize>(matrix, layout.data) + <usize>from * rowBytes,
    scales = load<usize>(matrix, layout.scales) + <usize>(from * blocks) * 4,
    zeros = load<usize>(matrix, layout.zeroPoints);
  const xBytes = (<usize>blocks) << 6,
    xScaleBytes = (<usize>blocks) << 2,
    outBytes = (<usize>stride) << 2;
  const padded = ((<usize>rows + tileRows - 1) / tileRows) * tileRows,
    count = <usize>(to - from);
  const first = out + ((<usize>from) << 2);
  startRows(matrix, from, count, padded, first, outBytes);
  const wide = scratch + spillBytes; // i16 [chunk · 32]
  const bytes = wide + ((<usize>chunkBlocks) << 6); // i8 [8, chunk · 32]
  const panels = bytes + 8 * ((<usize>chunkBlocks) << 5); // [itemRows / 8, chunk, 8, 8, 4]
  const panelScales = panels + <usize>(itemRows * chunkBlocks) * (panelBlockBytes >> 3); // [itemRows / 8, chunk]
  for (let block = 0; block < blocks; block += chunkBlocks) {
    const chunk = min(chunkBlocks, blocks - block);
    const chunkBytes = (<usize>chunk) << 5;
    const blockZeros = zeros ? zeros + <usize>from * zeroBytes + <usize>(block >> 1) : 0;
    for (let n: usize = 0; n < count; n++) {
      const row = n & 7;
      const blockData = data + n * rowBytes + <usize>((block * bits) << 2);
      unpackRow(bits, blockData, blockZeros ? blockZeros + n * zeroBytes : 0, chunk, wide);
      const scaleRow = scales + ((n * <usize>blocks + <usize>block) << 2);
      const ownScales = panelScales + (n >> 3) * (<usize>chunk * scaleBlockBytes) + (row << 2);
      for (let b: usize = 0; b < <usize>chunk; b++) {
        const scale = ownScales + b * scaleBlockBytes;
        store<f32>(scale, load<f32>(scaleRow + (b << 2)));
        store<i32>(scale, narrowBlock(wide + (b << 6), bytes + row * chunkBytes + (b << 5)), 32);
      }
      if (row < 7) continue;
      const panel = panels + (n >> 3) * (chunkBytes << 3);
      packFour(bytes, chunkBytes, chunk << 3, panel);
      packFour(bytes + 4 * chunkBytes, chunkBytes, chunk << 3, panel + 16);
    }
    for (let m: usize = 0; m < padded; m += tileRows) {
      const a = x + m * xBytes + ((<usize>block) << 6),
        aScales = xScales + m * xScaleBytes + ((<usize>block) << 2);
      for (let n: usize = 0; n < count; n += 8) {
        const own = panelScales + (n >> 3) * (<usize>chunk * scaleBlockBytes);
        addDigitTile(a, xBytes, aScales, xScaleBytes, panels + n * chunkBytes, own, chunk, first + m * outBytes + (n << 2), outBytes); // prettier-ignore
      }
    }
  }
}

/** Turns a block's weights into bytes, which they fit, and returns what sums of their products with digits lack: what the mask took from activations. */
function narrowBlock(from: usize, to: usize): i32 {
  const a = v128.load(from),
    b = v128.load(from, 16),
    c = v128.load(from, 32),
    d = v128.load(from, 48);
  v128.store(to, i8x16.narrow_i16x8_s(a, b));
  v128.store(to, i8x16.narrow_i16x8_s(c, d), 16);
  const sums = i32x4.extadd_pairwise_i16x8_s(i16x8.add(i16x8.add(a, b), i16x8.add(c, d)));
  const sum =
    i32x4.extract_lane(sums, 0) +
    i32x4.extract_lane(sums, 1) +
    i32x4.extract_lane(sums, 2) +
    i32x4.extract_lane(sums, 3);
  return sum * (mask == 0x80 ? 128 : -32768);
}
