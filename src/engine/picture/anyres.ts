// Pictures in tiles ("anyres"): which grid fits, the pixels of each tile, and the order of all tiles' features in the prompt, as LLaVA-1.6 and
// OneVision have them. Numbers in, numbers out: knows no model and no runtime.
import { resizeWhole } from "./image.ts";
import type { Pixels } from "#engine/types.ts";

export interface AnyresConfig {
  /** Side of a tile in pixels. */
  readonly size: number;
  /** Rows of features on a tile's side. */
  readonly side: number;
  /** Sizes that a picture may be fitted into, in pixels, height first; multiples of `size`. */
  readonly pinpoints: readonly (readonly [number, number])[];
  /** Features of more tiles than these are shrunk to as many. */
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
  /** The part of the grid's features that shows the picture. */
  readonly kept: Size & { readonly left: number; readonly top: number };
  /** What the kept part is shrunk to, where it is too large. */
  readonly shrunk: Size | undefined;
  /** Tiles to encode, the whole picture being the first. */
  readonly tiles: number;
  /** Rows in the prompt: the whole picture's, then the lines of the grid, each ended by a newline. */
  readonly rows: number;
}

/** How a picture of this size is cut. */
export function planAnyres(width: number, height: number, config: AnyresConfig): AnyresPlan {
  const { size, side } = config;
  const canvas = bestSize(width, height, config.pinpoints);
  const grid: [number, number] = [canvas.width / size, canvas.height / size];
  const kept = unpadded(grid[0] * side, grid[1] * side, width, height);
  const ratio = Math.sqrt((kept.height * kept.width) / ((config.most ?? Infinity) * side ** 2));
  const shrunk =
    ratio > 1.1 ? { width: floorDivide(kept.width, ratio), height: floorDivide(kept.height, ratio) } : undefined;
  const shown = shrunk ?? kept;
  return {
    size,
    side,
    grid,
    fitted: fit(width, height, canvas),
    kept,
    shrunk,
    tiles: 1 + grid[0] * grid[1],
    rows: side ** 2 + shown.height * (shown.width + 1),
  };
}

/** The pixels of each tile, 8-bit RGB [size, size, 3]: the whole picture stretched, then the grid row by row. */
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
      const [x0, y0] = [column * size - left, row * size - top]; // of the tile, in the picture
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
 * The rows of the prompt from the features of all tiles, each [side², hidden], and the newline [hidden]: the whole picture's, then the grid's
 * lines with the padding cut off. Returns [rows, hidden].
 */
export function packAnyres(
  tiles: readonly Float32Array[],
  newline: Float32Array,
  plan: AnyresPlan,
): Float32Array<ArrayBuffer> {
  const hidden = newline.length;
  const { side, kept } = plan;
  const out = new Float32Array(plan.rows * hidden);
  const whole = tiles[0];
  if (!whole || tiles.length !== plan.tiles) throw new Error(`${tiles.length} tiles for a plan of ${plan.tiles}`);
  out.set(whole.subarray(0, side ** 2 * hidden));
  const feature = (x: number, y: number): Float32Array => {
    const [column, row] = [Math.floor((kept.left + x) / side), Math.floor((kept.top + y) / side)];
    const at = (((kept.top + y) % side) * side + ((kept.left + x) % side)) * hidden;
    return (tiles[1 + row * plan.grid[0] + column] ?? whole).subarray(at, at + hidden);
  };
  let at = side ** 2 * hidden;
  const put = (row: Float32Array): void => {
    out.set(row, at);
    at += hidden;
  };
  const { shrunk } = plan;
  for (let y = 0; y < (shrunk ?? kept).height; y++) {
    for (let x = 0; x < (shrunk ?? kept).width; x++) put(shrunk ? between(feature, kept, shrunk, x, y) : feature(x, y));
    put(newline);
  }
  return out;
}

/** PyTorch's bilinear `interpolate`, corners not aligned and no antialiasing. */
function between(
  feature: (x: number, y: number) => Float32Array,
  from: Size,
  to: Size,
  x: number,
  y: number,
): Float32Array {
  const [x0, x1, xt] = neighbours(x, from.width, to.width);
  const [y0, y1, yt] = neighbours(y, from.height, to.height);
  const corners = [feature(x0, y0), feature(x1, y0), feature(x0, y1), feature(x1, y1)];
  const shares = [(1 - xt) * (1 - yt), xt * (1 - yt), (1 - xt) * yt, xt * yt];
  return (corners[0] ?? new Float32Array()).map((_, i) =>
    corners.reduce((sum, corner, k) => sum + (corner[i] ?? 0) * (shares[k] ?? 0), 0),
  );
}

function neighbours(at: number, from: number, to: number): readonly [number, number, number] {
  const place = Math.max(0, (at + 0.5) * (from / to) - 0.5);
  const first = Math.min(Math.floor(place), from - 1);
  return [first, Math.min(first + 1, from - 1), place - first];
}

/** The size that shows most of the picture, and of those the one that wastes least; the first of equals. */
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

function unpadded(columns: number, rows: number, width: number, height: number): AnyresPlan["kept"] {
  // Rounded to 7 places first, so that 23.999999999 is 24 and not 23.
  const whole = (value: number): number => Math.trunc(Math.round(value * 1e7) / 1e7);
  if (width / height > columns / rows) {
    const top = Math.floor((rows - whole(height * (columns / width))) / 2);
    return { left: 0, top, width: columns, height: rows - 2 * top };
  }
  const left = Math.floor((columns - whole(width * (rows / height))) / 2);
  return { left, top: 0, width: columns - 2 * left, height: rows };
}

/** Python's `//` of numbers with fractions: exact where a rounded quotient would reach the next whole number. */
function floorDivide(a: number, b: number): number {
  return Math.round((a - (a % b)) / b);
}
