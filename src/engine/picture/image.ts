// Turns pixels into the vision tower's input: makes them square (pad, crop or stretch), resizes (bicubic or Lanczos, antialiased) and normalises.
// The resize reproduces Pillow's: 22-bit fixed-point weights, a horizontal pass, rounding to uint8, a vertical pass.
// Transparent pixels are composited on white, as a page shows them; Pillow's convert("RGB") would keep their hidden colour.
// The inner loops are WebAssembly (kernels/resize.ts).
import { resizeKernelBytes, type ResizeKernel } from "./resize-kernel.ts";
import type { ImageMode, Pixels } from "#engine/types.ts";

export interface Preprocess {
  /** Side of the square the vision tower takes, in pixels. */
  readonly size: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** The vision tower's input, f32 [3, size, size], normalised. */
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
  // Crop: the shortest edge becomes `size`, and the centre square remains.
  const short = Math.min(width, height);
  const wide = width === short ? size : Math.trunc((size * width) / short);
  const high = height === short ? size : Math.trunc((size * height) / short);
  return resize(pixels, frameOf(pixels), wide, high, window((wide - size) >> 1, (high - size) >> 1, size, size));
}

/** Resizes the whole picture; returns 8-bit RGB [height, width, 3]. */
export function resizeWhole(pixels: Pixels, width: number, height: number, filter: Filter = "bicubic"): Uint8Array {
  return resize(pixels, frameOf(pixels), width, height, window(0, 0, width, height), filter);
}

/** 8-bit RGB [height, width, 3] as opaque pixels. */
export function opaque(rgb: Uint8Array, width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    data[to] = rgb[from] ?? 0;
    data[to + 1] = rgb[from + 1] ?? 0;
    data[to + 2] = rgb[from + 2] ?? 0;
  }
  return { width, height, data };
}

/** Normalises 8-bit RGB [size, size, 3] to f32 [3, size, size]. */
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

/** A canvas of colour `fill` with the picture placed at (left, top). */
interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly fill: readonly [number, number, number];
}

/** The part of the resized canvas that is computed. */
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

function resize(
  pixels: Pixels,
  frame: Frame,
  wide: number,
  high: number,
  keep: Window,
  filter: Filter = "bicubic",
): Uint8Array {
  // Pillow runs the vertical pass first where it shrinks the picture much more. On a padded square that never happens.
  const down = frame.height - high;
  if (down > 0 && down > 2 * (frame.width - wide)) {
    const turned = transpose(pixels);
    const turnedKeep = window(keep.top, keep.left, keep.height, keep.width);
    const resized = resizeAcrossFirst(turned, frameOf(turned), high, wide, turnedKeep, filter);
    return transposeRgb(resized, keep.height, keep.width);
  }
  return resizeAcrossFirst(pixels, frame, wide, high, keep, filter);
}

function resizeAcrossFirst(
  pixels: Pixels,
  frame: Frame,
  wide: number,
  high: number,
  keep: Window,
  filter: Filter,
): Uint8Array {
  const across = weights(frame.width, wide, keep.left, keep.width, filters[filter]);
  const down = weights(frame.height, high, keep.top, keep.height, filters[filter]);
  const firstRow = down.starts[0] ?? 0;
  const rows = (down.starts[keep.height - 1] ?? 0) + (down.counts[keep.height - 1] ?? 0) - firstRow;

  // Addresses in the kernel's memory, in bytes. Rows are padded to whole vectors.
  const rowBytes = Math.ceil(keep.width / 4) * 16;
  let end = 1024;
  const place = (bytes: number): number => {
    const at = end;
    end += Math.ceil(bytes / 16) * 16;
    return at;
  };
  const places = {
    line: place(pixels.width * 4),
    table: place(keep.width * 16),
    across: place(across.values.byteLength),
    down: place(down.values.byteLength),
    row: place(rowBytes),
    between: place(rows * rowBytes), // [rows, width, RGBA]
  };
  const { kernel, memory } = resizeKernel(end);
  const bytes = new Uint8Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  words.set(across.values, places.across >> 2);
  words.set(down.values, places.down >> 2);
  for (let x = 0; x < keep.width; x++) {
    const start = (across.starts[x] ?? 0) - frame.left; // in the picture
    const count = across.counts[x] ?? 0;
    const from = Math.max(0, start);
    const to = Math.max(from, Math.min(pixels.width, start + count));
    const firstWeight = x * across.taps;
    let outsideWeight = 0; // the weights of taps on the canvas around the picture
    for (let k = 0; k < count; k++) {
      if (start + k < from || start + k >= to) outsideWeight += across.values[firstWeight + k] ?? 0;
    }
    words.set([from, to, places.across + (firstWeight + from - start) * 4, outsideWeight], (places.table >> 2) + x * 4);
  }

  const [red, green, blue] = frame.fill;
  const fill = red | (green << 8) | (blue << 16) | (255 << 24);
  for (let row = 0; row < rows; row++) {
    const y = firstRow + row - frame.top;
    const target = places.between + row * rowBytes;
    if (y < 0 || y >= pixels.height) {
      words.fill(fill, target >> 2, (target >> 2) + keep.width);
      continue;
    }
    bytes.set(pixels.data.subarray(y * pixels.width * 4, (y + 1) * pixels.width * 4), places.line);
    kernel.layOnWhite(places.line, pixels.width);
    kernel.across(places.line, places.table, keep.width, fill, target);
  }

  const out = new Uint8Array(keep.height * keep.width * 3); // [height, width, 3]
  for (let y = 0; y < keep.height; y++) {
    const from = places.between + ((down.starts[y] ?? 0) - firstRow) * rowBytes;
    kernel.down(from, rowBytes, down.counts[y] ?? 0, places.down + y * down.taps * 4, places.row);
    for (let x = 0, at = y * keep.width * 3; x < keep.width; x++, at += 3) {
      out[at] = bytes[places.row + x * 4] ?? 0;
      out[at + 1] = bytes[places.row + x * 4 + 1] ?? 0;
      out[at + 2] = bytes[places.row + x * 4 + 2] ?? 0;
    }
  }
  return out;
}

interface Resizer {
  readonly kernel: ResizeKernel;
  readonly memory: WebAssembly.Memory;
}
let resizeModule: WebAssembly.Module | undefined;
let resizer: Resizer | undefined;
/** A memory of more pages than this is not reused for the next picture. */
const mostReusedPages = 256;

/** A kernel with a memory of at least this many bytes; the previous one is reused where it is large enough. */
function resizeKernel(leastBytes: number): Resizer {
  const pages = Math.ceil(leastBytes / 65_536);
  if (resizer && resizer.memory.buffer.byteLength >= leastBytes) return resizer;
  resizeModule ??= new WebAssembly.Module(resizeKernelBytes());
  const memory = new WebAssembly.Memory({ initial: pages });
  const { exports } = new WebAssembly.Instance(resizeModule, { env: { memory } });
  const made = { kernel: exports as unknown as ResizeKernel, memory }; // what kernels/resize.ts exports
  if (pages <= mostReusedPages) resizer = made;
  return made;
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

const precisionBits = 22;

/** Pillow's filters. */
export type Filter = "bicubic" | "lanczos";

/** A filter's weights by distance, in pixels of the smaller picture; beyond `reach` they are 0. */
interface FilterCurve {
  readonly reach: number;
  readonly at: (distance: number) => number;
}

interface Weights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  readonly values: Int32Array; // [outputs, taps], fixed point
  readonly taps: number;
}

/** Fixed-point weights for resizing a line of `from` pixels to `to`: those of `count` outputs, beginning with output `first`. */
function weights(from: number, to: number, first: number, count: number, { reach, at }: FilterCurve): Weights {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = reach * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(count);
  const counts = new Int32Array(count);
  const values = new Int32Array(count * taps);
  for (let i = 0; i < count; i++) {
    const centre = (first + i + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), from);
    const raw: number[] = [];
    for (let x = start; x < end; x++) raw.push(at((x - centre + 0.5) / filterScale));
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

function lanczos(x: number): number {
  return x > -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}

const filters: Readonly<Record<Filter, FilterCurve>> = {
  bicubic: { reach: 2, at: bicubic },
  lanczos: { reach: 3, at: lanczos },
};
