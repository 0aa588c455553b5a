// Pictures cut into squares, as Idefics3 and SmolVLM see them: scales a picture, cuts it, and spells the marks that stand for its squares in the
// prompt. Pure functions over arrays: knows no model and no runtime.
import { opaque, resizeWhole, type Filter } from "./image.ts";
import type { Pixels } from "#engine/types.ts";

export interface SquaresConfig {
  /** Side of a square in pixels. */
  readonly size: number;
  /** Pixels that the longest side of a picture is scaled to first. */
  readonly longestEdge: number;
  readonly filter: Filter;
  /** Rows of features of a square. */
  readonly rows: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface SquaresPlan {
  readonly size: number;
  readonly filter: Filter;
  /** The picture with its longest side as the config says. */
  readonly scaled: Size;
  /** That picture stretched to whole squares; undefined where it is seen as one square only. */
  readonly stretched: Size | undefined;
  /** Squares to encode: those of the grid row by row, then the whole picture. */
  readonly tiles: number;
  /** Rows of features in all. */
  readonly rows: number;
  /** What stands for the picture in a prompt: its marks, and an image token per square. */
  readonly spelling: string;
}

/** The largest side that Idefics3's processor lets a picture have. */
const mostPixels = 4096;

/** Plans how a picture of this size in pixels is seen: in `every` detail, cut into squares, or as one square. */
export function planSquares(width: number, height: number, every: boolean, config: SquaresConfig): SquaresPlan {
  const { size, filter, rows } = config;
  const scaled = limit(scaleTo(config.longestEdge, width, height));
  const whole = every ? wholeSquares(scaled, size) : { width: size, height: size };
  const cut = whole.width > size || whole.height > size;
  const [columns, lines] = cut ? [whole.width / size, whole.height / size] : [0, 0];
  const tiles = columns * lines + 1;
  return {
    size,
    filter,
    scaled,
    stretched: cut ? whole : undefined,
    tiles,
    rows: tiles * rows,
    spelling: spell(lines, columns),
  };
}

/** The pixels of each square, 8-bit RGB [size, size, 3], in the plan's order. Resizes as often as Idefics3's processor does. */
export function cutSquares(pixels: Pixels, { size, filter, scaled, stretched }: SquaresPlan): Uint8Array[] {
  const resized = (from: Pixels, { width, height }: Size): Pixels =>
    opaque(resizeWhole(from, width, height, filter), width, height);
  const first = resized(pixels, scaled);
  if (!stretched) return [resizeWhole(first, size, size, filter)];
  const rgb = resizeWhole(first, stretched.width, stretched.height, filter);
  const squares: Uint8Array[] = [];
  for (let top = 0; top < stretched.height; top += size) {
    for (let left = 0; left < stretched.width; left += size) {
      const square = new Uint8Array(size * size * 3);
      for (let y = 0; y < size; y++) {
        const from = ((top + y) * stretched.width + left) * 3;
        square.set(rgb.subarray(from, from + size * 3), y * size * 3);
      }
      squares.push(square);
    }
  }
  squares.push(resizeWhole(opaque(rgb, stretched.width, stretched.height), size, size, filter));
  return squares;
}

/** The longest side becomes `longest`, the other one follows and is made even. */
function scaleTo(longest: number, width: number, height: number): Size {
  const ratio = width / height;
  const even = (side: number): number => Math.max(1, side + (side % 2));
  return width >= height
    ? { width: longest, height: even(Math.trunc(longest / ratio)) }
    : { width: even(Math.trunc(longest * ratio)), height: longest };
}

function limit({ width, height }: Size): Size {
  if (Math.max(width, height) <= mostPixels) return { width, height };
  const ratio = width / height;
  return width >= height
    ? { width: mostPixels, height: Math.max(1, Math.trunc(mostPixels / ratio)) }
    : { width: Math.max(1, Math.trunc(mostPixels * ratio)), height: mostPixels };
}

/** Both sides rounded up to whole squares, the longer one first. */
function wholeSquares({ width, height }: Size, size: number): Size {
  const up = (side: number): number => Math.ceil(side / size) * size;
  const ratio = width / height;
  return width >= height
    ? { width: up(width), height: up(Math.trunc(up(width) / ratio)) }
    : { width: up(Math.trunc(up(height) * ratio)), height: up(height) };
}

const mark = "<fake_token_around_image>";
const whole = `${mark}<global-img><image>${mark}`;

function spell(lines: number, columns: number): string {
  if (lines === 0) return whole;
  let text = "";
  for (let line = 1; line <= lines; line++) {
    for (let column = 1; column <= columns; column++) text += `${mark}<row_${line}_col_${column}><image>`;
    text += "\n";
  }
  return `${text}\n${whole}`;
}
