// Pixels to the vision tower's input: square (pad, crop or stretch), bicubic resize with antialias, normalise.
// The resize is Pillow's, step by step: 22-bit fixed-point weights, horizontal pass, rounding to uint8, vertical pass.
// Transparent pixels are laid on white, as a page shows them; Pillow's convert("RGB") would keep their hidden colour.
import type { ImageMode, Pixels } from "./types.ts";

export interface Preprocess {
  /** Side of the square the vision tower takes, in pixels. */
  readonly size: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** A picture ready for the vision tower: [3, size, size], normalised. */
export function preprocess(pixels: Pixels, mode: Exclude<ImageMode, "auto">, to: Preprocess): Float32Array {
  return normalise(squarePixels(pixels, mode, to), to);
}

/** The picture as 8-bit RGB, [size, size, 3], before normalisation. */
export function squarePixels(pixels: Pixels, mode: Exclude<ImageMode, "auto">, to: Preprocess): Uint8Array {
  const { width, height } = pixels;
  const { size } = to;
  if (mode === "resize") return resize(pixels, frameOf(pixels), size, size, window(0, 0, size, size));
  if (mode === "pad") {
    const side = Math.max(width, height);
    const fill = to.mean.map((value) => Math.trunc(value * 255));
    const frame: Frame = {
      width: side,
      height: side,
      left: (side - width) >> 1,
      top: (side - height) >> 1,
      fill: [fill[0] ?? 0, fill[1] ?? 0, fill[2] ?? 0],
    };
    return resize(pixels, frame, size, size, window(0, 0, size, size));
  }
  // Shortest edge to `size`, then the centre square.
  const short = Math.min(width, height);
  const wide = width === short ? size : Math.trunc((size * width) / short);
  const high = height === short ? size : Math.trunc((size * height) / short);
  return resize(pixels, frameOf(pixels), wide, high, window((wide - size) >> 1, (high - size) >> 1, size, size));
}

/** The whole picture at another size, as 8-bit RGB [height, width, 3]. */
export function resizeWhole(pixels: Pixels, width: number, height: number): Uint8Array {
  return resize(pixels, frameOf(pixels), width, height, window(0, 0, width, height));
}

/** 8-bit RGB [size, size, 3] → float [3, size, size]. */
export function normalise(rgb: Uint8Array, to: Preprocess): Float32Array {
  const area = to.size * to.size;
  const out = new Float32Array(3 * area); // [3, size, size]
  for (let channel = 0; channel < 3; channel++) {
    const mean = to.mean[channel] ?? 0;
    const std = to.std[channel] ?? 1;
    const table = Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean) / std);
    for (let i = 0; i < area; i++) out[channel * area + i] = table[rgb[i * 3 + channel] ?? 0] ?? 0;
  }
  return out;
}

/** A canvas of `fill` on which the picture lies at left, top. */
interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly fill: readonly [number, number, number];
}

/** The part of the resized canvas that is kept. */
interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function frameOf(pixels: Pixels): Frame {
  return { width: pixels.width, height: pixels.height, left: 0, top: 0, fill: [0, 0, 0] };
}

function window(left: number, top: number, width: number, height: number): Window {
  return { left, top, width, height };
}

function resize(pixels: Pixels, frame: Frame, wide: number, high: number, keep: Window): Uint8Array {
  // Pillow goes down first where that shrinks much more. On the padded square it never does.
  const down = frame.height - high;
  if (down > 0 && down > 2 * (frame.width - wide)) {
    const turned = transpose(pixels);
    const turnedKeep = window(keep.top, keep.left, keep.height, keep.width);
    return transposeRgb(resizeAcrossFirst(turned, frameOf(turned), high, wide, turnedKeep), keep.height, keep.width);
  }
  return resizeAcrossFirst(pixels, frame, wide, high, keep);
}

function resizeAcrossFirst(pixels: Pixels, frame: Frame, wide: number, high: number, keep: Window): Uint8Array {
  const across = weights(frame.width, wide, keep.left, keep.width);
  const down = weights(frame.height, high, keep.top, keep.height);
  const firstRow = down.starts[0] ?? 0;
  const lastRow = (down.starts[keep.height - 1] ?? 0) + (down.counts[keep.height - 1] ?? 0);
  const rowLength = keep.width * 3;
  const between = new Uint8Array((lastRow - firstRow) * rowLength); // [rows, width, 3]
  const line = new Uint8Array(pixels.width * 3);
  // What the frame beside the picture adds is the same in every row.
  const beside = new Float64Array(keep.width);
  for (let x = 0; x < keep.width; x++) {
    const start = (across.starts[x] ?? 0) - frame.left;
    for (let k = 0; k < (across.counts[x] ?? 0); k++) {
      if (start + k < 0 || start + k >= pixels.width)
        beside[x] = (beside[x] ?? 0) + (across.values[x * across.taps + k] ?? 0);
    }
  }

  const outside = new Uint8Array(rowLength);
  let outsideDone = false;
  for (let y = firstRow; y < lastRow; y++) {
    const target = (y - firstRow) * rowLength;
    const inside = y >= frame.top && y < frame.top + pixels.height;
    if (!inside) {
      if (!outsideDone) {
        for (let x = 0; x < keep.width; x++) outside.set(frame.fill, x * 3);
        outsideDone = true;
      }
      between.set(outside, target);
      continue;
    }
    layOnWhite(pixels, y - frame.top, line);
    for (let x = 0; x < keep.width; x++) {
      const start = (across.starts[x] ?? 0) - frame.left; // in the picture
      const end = Math.min(pixels.width, start + (across.counts[x] ?? 0));
      const share = beside[x] ?? 0;
      let red = half + share * frame.fill[0];
      let green = half + share * frame.fill[1];
      let blue = half + share * frame.fill[2];
      for (let from = Math.max(0, start); from < end; from++) {
        const weight = across.values[x * across.taps + from - start] ?? 0;
        const at = from * 3;
        red += weight * (line[at] ?? 0);
        green += weight * (line[at + 1] ?? 0);
        blue += weight * (line[at + 2] ?? 0);
      }
      between[target + x * 3] = toByte(red);
      between[target + x * 3 + 1] = toByte(green);
      between[target + x * 3 + 2] = toByte(blue);
    }
  }

  const out = new Uint8Array(keep.height * rowLength); // [height, width, 3]
  const sums = new Float64Array(rowLength);
  for (let y = 0; y < keep.height; y++) {
    const start = (down.starts[y] ?? 0) - firstRow;
    sums.fill(half);
    for (let k = 0; k < (down.counts[y] ?? 0); k++) {
      const weight = down.values[y * down.taps + k] ?? 0;
      const from = (start + k) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] = (sums[i] ?? 0) + weight * (between[from + i] ?? 0);
    }
    for (let i = 0; i < rowLength; i++) out[y * rowLength + i] = toByte(sums[i] ?? 0);
  }
  return out;
}

function transpose({ width, height, data }: Pixels): Pixels {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 4; c++) out[(x * height + y) * 4 + c] = data[(y * width + x) * 4 + c] ?? 0;
    }
  }
  return { width: height, height: width, data: out };
}

/** [width, height, 3] → [height, width, 3] */
function transposeRgb(rgb: Uint8Array, height: number, width: number): Uint8Array {
  const out = new Uint8Array(rgb.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) out[(y * width + x) * 3 + c] = rgb[(x * height + y) * 3 + c] ?? 0;
    }
  }
  return out;
}

function layOnWhite(pixels: Pixels, y: number, line: Uint8Array): void {
  const { data, width } = pixels;
  let from = y * width * 4;
  let to = 0;
  for (let x = 0; x < width; x++) {
    const alpha = data[from + 3] ?? 255;
    if (alpha === 255) {
      line[to] = data[from] ?? 0;
      line[to + 1] = data[from + 1] ?? 0;
      line[to + 2] = data[from + 2] ?? 0;
    } else {
      const white = 255 * (255 - alpha);
      for (let c = 0; c < 3; c++) line[to + c] = Math.round(((data[from + c] ?? 0) * alpha + white) / 255);
    }
    from += 4;
    to += 3;
  }
}

const precisionBits = 22;
const half = 1 << (precisionBits - 1);

function toByte(sum: number): number {
  const value = Math.floor(sum / (1 << precisionBits));
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

interface Weights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  readonly values: Int32Array; // [outputs, taps], fixed point
  readonly taps: number;
}

/** Fixed-point weights of the outputs from `first` on, of a line of `from` pixels that becomes `to` pixels. */
function weights(from: number, to: number, first: number, count: number): Weights {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = 2 * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(count);
  const counts = new Int32Array(count);
  const values = new Int32Array(count * taps);
  for (let i = 0; i < count; i++) {
    const centre = (first + i + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), from);
    const raw: number[] = [];
    for (let x = start; x < end; x++) raw.push(bicubic((x - centre + 0.5) / filterScale));
    const sum = raw.reduce((total, value) => total + value, 0);
    starts[i] = start;
    counts[i] = end - start;
    raw.forEach((value, k) => {
      const scaled = (sum === 0 ? value : value / sum) * (1 << precisionBits);
      values[i * taps + k] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    });
  }
  return { starts, counts, values, taps };
}

function bicubic(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}
