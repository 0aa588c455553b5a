// Pictures cut into tiles ("anyres"), as in LLaVA-1.6 and OneVision: chooses the grid, cuts the pixels of each tile, and packs the tiles'
// features in prompt order. Pure functions over arrays: knows no model and no runtime.
import { resizeWhole } from "./image.ts";
import type { Pixels } from "#engine/types.ts";

export interface AnyresConfig {
  /** Side of a tile in pixels. */
  readonly size: number;
  /** Rows of features on a tile's side. */
  readonly side: number;
  /** The canvas sizes (grid pinpoints) that a picture may be fitted into, in pixels, height first; multiples of `size`. */
  readonly pinpoints: readonly (readonly [number, number])[];
  /** The most tiles' worth of features that the grid may take; a larger feature map is downsampled. */
  readonly most?: number | undefined;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface AnyresPlan {
  /** Side of a tile in pixels, and in features. */
  readonly size: number;
  readonly side: number;
  /** Tiles: columns, rows. */
  readonly grid: readonly [number, number];
  /** The picture within the grid's pixels, centred on black. */
  readonly fitted: Size;
  /** The part of the grid's feature map that shows the picture, without the padding. */
  readonly content: Size & { readonly left: number; readonly top: number };
  /** The size that the content is downsampled to; undefined where it is small enough. */
  readonly shrunk: Size | undefined;
  /** Number of tiles to encode: the whole picture first, then those of the grid. */
  readonly tiles: number;
  /** Rows in the prompt: those of the whole picture, then the grid's feature map line by line, each line followed by a newline row. */
  readonly rows: number;
}

/** Plans how a picture of this size in pixels is cut. */
export function planAnyres(width: number, height: number, config: AnyresConfig): AnyresPlan {
  const { size, side } = config;
  const canvas = bestSize(width, height, config.pinpoints);
  const grid: [number, number] = [canvas.width / size, canvas.height / size];
  const content = contentOf(grid[0] * side, grid[1] * side, width, height);
  const ratio = Math.sqrt((content.height * content.width) / ((config.most ?? Infinity) * side ** 2));
  const shrunk =
    ratio > 1.1 ? { width: floorDivide(content.width, ratio), height: floorDivide(content.height, ratio) } : undefined;
  const shown = shrunk ?? content;
  return {
    size,
    side,
    grid,
    fitted: fit(width, height, canvas),
    content,
    shrunk,
    tiles: 1 + grid[0] * grid[1],
    rows: side ** 2 + shown.height * (shown.width + 1),
  };
}

/** The pixels of each tile, 8-bit RGB [size, size, 3]: the whole picture stretched to a square, then the grid in row-major order. */
export function anyresTiles(pixels: Pixels, plan: AnyresPlan): Uint8Array[] {
  const { size, fitted } = plan;
  const [columns, rows] = plan.grid;
  const picture = resizeWhole(pixels, fitted.width, fitted.height);
  const left = (columns * size - fitted.width) >> 1;
  const top = (rows * size - fitted.height) >> 1;
  const tiles = [resizeWhole(pixels, size, size)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const tile = new Uint8Array(size * size * 3);
      const [x0, y0] = [column * size - left, row * size - top]; // the tile's corner, in the picture's pixels
      const [from, to] = [Math.max(0, x0), Math.min(fitted.width, x0 + size)];
      for (let y = Math.max(0, y0); y < Math.min(fitted.height, y0 + size) && from < to; y++) {
        const line = picture.subarray((y * fitted.width + from) * 3, (y * fitted.width + to) * 3);
        tile.set(line, ((y - y0) * size + from - x0) * 3);
      }
      tiles.push(tile);
    }
  }
  return tiles;
}

/**
 * Packs the features of all tiles, each [side², hidden], and the newline [hidden] into the rows of the prompt: the whole picture's, then the
 * lines of the grid's feature map without its padding. Returns [rows, hidden].
 */
export function packAnyres(
  tiles: readonly Float32Array[],
  newline: Float32Array,
  plan: AnyresPlan,
): Float32Array<ArrayBuffer> {
  const hidden = newline.length;
  const { side, content } = plan;
  const out = new Float32Array(plan.rows * hidden);
  const whole = tiles[0];
  if (!whole || tiles.length !== plan.tiles) throw new Error(`${tiles.length} tiles for a plan of ${plan.tiles}`);
  out.set(whole.subarray(0, side ** 2 * hidden));
  const feature = (x: number, y: number): Float32Array => {
    const [column, row] = [Math.floor((content.left + x) / side), Math.floor((content.top + y) / side)];
    const at = (((content.top + y) % side) * side + ((content.left + x) % side)) * hidden;
    return (tiles[1 + row * plan.grid[0] + column] ?? whole).subarray(at, at + hidden);
  };
  let at = side ** 2 * hidden;
  const put = (row: Float32Array): void => {
    out.set(row, at);
    at += hidden;
  };
  const { shrunk } = plan;
  for (let y = 0; y < (shrunk ?? content).height; y++) {
    for (let x = 0; x < (shrunk ?? content).width; x++)
      put(shrunk ? interpolated(feature, content, shrunk, x, y) : feature(x, y));
    put(newline);
  }
  return out;
}

/** One feature of the downsampled map: PyTorch's bilinear `interpolate` with align_corners=False and no antialiasing. */
function interpolated(
  feature: (x: number, y: number) => Float32Array,
  from: Size,
  to: Size,
  x: number,
  y: number,
): Float32Array {
  const [x0, x1, xt] = bilinearTaps(x, from.width, to.width);
  const [y0, y1, yt] = bilinearTaps(y, from.height, to.height);
  const corners = [feature(x0, y0), feature(x1, y0), feature(x0, y1), feature(x1, y1)];
  const shares = [(1 - xt) * (1 - yt), xt * (1 - yt), (1 - xt) * yt, xt * yt];
  return (corners[0] ?? new Float32Array()).map((_, i) =>
    corners.reduce((sum, corner, k) => sum + (corner[i] ?? 0) * (shares[k] ?? 0), 0),
  );
}

function bilinearTaps(at: number, from: number, to: number): readonly [number, number, number] {
  const place = Math.max(0, (at + 0.5) * (from / to) - 0.5);
  const first = Math.min(Math.floor(place), from - 1);
  return [first, Math.min(first + 1, from - 1), place - first];
}

/** The canvas at which the picture keeps the most pixels; among equals the one with the least padding, then the first. */
function bestSize(width: number, height: number, pinpoints: AnyresConfig["pinpoints"]): Size {
  let best: Size = { width: 0, height: 0 };
  let most = -1;
  let least = Infinity;
  for (const [high, wide] of pinpoints) {
    const scale = Math.min(wide / width, high / height);
    const shown = Math.min(Math.trunc(width * scale) * Math.trunc(height * scale), width * height);
    const wasted = wide * high - shown;
    if (shown > most || (shown === most && wasted < least)) {
      best = { width: wide, height: high };
      most = shown;
      least = wasted;
    }
  }
  return best;
}

function fit(width: number, height: number, canvas: Size): Size {
  const [across, down] = [canvas.width / width, canvas.height / height];
  return across < down
    ? { width: canvas.width, height: Math.min(Math.ceil(height * across), canvas.height) }
    : { width: Math.min(Math.ceil(width * down), canvas.width), height: canvas.height };
}

/** The feature map without the rows or columns that pad the picture. */
function contentOf(columns: number, rows: number, width: number, height: number): AnyresPlan["content"] {
  // Rounded to 7 decimals before truncating, so that 23.999999999 becomes 24 and not 23.
  const whole = (value: number): number => Math.trunc(Math.round(value * 1e7) / 1e7);
  if (width / height > columns / rows) {
    const top = Math.floor((rows - whole(height * (columns / width))) / 2);
    return { left: 0, top, width: columns, height: rows - 2 * top };
  }
  const left = Math.floor((columns - whole(width * (rows / height))) / 2);
  return { left, top: 0, width: columns - 2 * left, height: rows };
}

/** Python's float `//`. Math.floor(a / b) would be one too large where the quotient rounds up to the next whole number. */
function floorDivide(a: number, b: number): number {
  return Math.round((a - (a % b)) / b);
}
