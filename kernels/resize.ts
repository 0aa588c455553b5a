// AssemblyScript. The inner loops of resizing a picture, in the 32-bit integer arithmetic of Pillow, so that results are the same.
// src/engine/picture/image.ts lays out weights and pixels and says what they mean. Pixels are RGBA, one byte each.

/** Fraction bits of the fixed-point weights. */
const precision: i32 = 22;

/** Composites a line's pixels over white, in place; they are opaque afterwards. */
export function layOnWhite(line: usize, pixels: i32): void {
  const end = line + ((<usize>pixels) << 2);
  for (let at = line; at < end; at += 4) {
    const alpha = <u32>load<u8>(at, 3);
    if (alpha == 255) continue;
    const white = 255 * (255 - alpha) + 127;
    store<u8>(at, (<u32>load<u8>(at) * alpha + white) / 255);
    store<u8>(at, (<u32>load<u8>(at, 1) * alpha + white) / 255, 1);
    store<u8>(at, (<u32>load<u8>(at, 2) * alpha + white) / 255, 2);
    store<u8>(at, 255, 3);
  }
}

/** Rounds a pixel's four sums to RGBA bytes. */
function packed(sums: v128): i32 {
  const shifted = i32x4.shr_s(sums, precision);
  const narrow = i16x8.narrow_i32x4_s(shifted, shifted);
  return i32x4.extract_lane(i8x16.narrow_i16x8_u(narrow, narrow), 0);
}

/**
 * Resizes one line horizontally. `table` has four words per output pixel: the first source pixel, the one after the last, the address of the first
 * one's weight, and the weight of what lies outside the picture, where pixels are `fill`.
 */
export function across(line: usize, table: usize, outputs: i32, fill: i32, to: usize): void {
  const outside = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(i32x4.splat(fill)));
  const half = i32x4.splat(1 << (precision - 1));
  for (let i = 0; i < outputs; i++) {
    let at = line + (load<usize>(table) << 2);
    const end = line + (load<usize>(table, 4) << 2);
    let weights = load<usize>(table, 8);
    let sums = i32x4.add(half, i32x4.mul(i32x4.splat(load<i32>(table, 12)), outside));
    for (; at < end; at += 4) {
      const pixel = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
      sums = i32x4.add(sums, i32x4.mul(v128.load32_splat(weights), pixel));
      weights += 4;
    }
    store<i32>(to, packed(sums));
    to += 4;
    table += 16;
  }
}

/** Resizes vertically: one output line from `count` lines of `bytes` bytes (a multiple of 16) at `from`, each with its weight. */
export function down(from: usize, bytes: usize, count: i32, weights: usize, to: usize): void {
  const half = i32x4.splat(1 << (precision - 1));
  for (let i: usize = 0; i < bytes; i += 16) {
    let a = half,
      b = half,
      c = half,
      d = half;
    let at = from + i;
    for (let k = 0; k < count; k++) {
      const weight = v128.load32_splat(weights + ((<usize>k) << 2));
      const pixels = v128.load(at);
      const low = i16x8.extend_low_i8x16_u(pixels),
        high = i16x8.extend_high_i8x16_u(pixels);
      a = i32x4.add(a, i32x4.mul(weight, i32x4.extend_low_i16x8_u(low)));
      b = i32x4.add(b, i32x4.mul(weight, i32x4.extend_high_i16x8_u(low)));
      c = i32x4.add(c, i32x4.mul(weight, i32x4.extend_low_i16x8_u(high)));
      d = i32x4.add(d, i32x4.mul(weight, i32x4.extend_high_i16x8_u(high)));
      at += bytes;
    }
    const first = i16x8.narrow_i32x4_s(i32x4.shr_s(a, precision), i32x4.shr_s(b, precision));
    const second = i16x8.narrow_i32x4_s(i32x4.shr_s(c, precision), i32x4.shr_s(d, precision));
    v128.store(to + i, i8x16.narrow_i16x8_u(first, second));
  }
}
