// Decodes damaged PNG files as browsers do: everything before the damage; the rest stays transparent. Sharp reads the intact ones.
import { crc32, createInflate } from "node:zlib";
import { EngineError } from "#engine/errors.ts";
import type { Pixels } from "#engine/types.ts";

/** Adam7's passes: first column and row, column and row step, and the size of the block that a pixel fills until later passes refine it. */
const passes = [
  [0, 0, 8, 8, 8, 8],
  [4, 0, 8, 8, 4, 8],
  [0, 4, 4, 8, 4, 4],
  [2, 0, 4, 4, 2, 4],
  [0, 2, 2, 4, 2, 2],
  [1, 0, 2, 2, 1, 2],
  [0, 1, 1, 2, 1, 1],
] as const;
const onePass = [[0, 0, 1, 1, 1, 1]] as const;
const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Decodes as many rows as the file holds; throws "bad-image" where it holds none. */
export async function rescuePng(bytes: Uint8Array): Promise<Pixels> {
  const { header, palette, alphas, data } = readChunks(bytes);
  const [width, height] = [header.getUint32(0), header.getUint32(4)];
  const [depth, type] = [header.getUint8(8), header.getUint8(9)];
  const channels = channelsOf[type];
  if (channels === undefined || width === 0 || height === 0) throw damaged();
  const raw = await inflateWhatIsThere(data);
  const pixels = new Uint8ClampedArray(4 * width * height);
  const bits = depth * channels;
  const step = Math.max(1, bits >> 3);
  const colour = colourOf(type, depth, palette, alphas);
  const interlaced = header.getUint8(12) === 1;
  let at = 0;
  let rows = 0;
  for (const [left, top, stepX, stepY, wide, high] of interlaced ? passes : onePass) {
    const columns = Math.ceil((width - left) / stepX);
    if (columns <= 0) continue;
    const stride = Math.ceil((columns * bits) / 8);
    let above = new Uint8Array(stride);
    for (let y = top; y < height; y += stepY) {
      if (at + 1 + stride > raw.length) return finished();
      const row = unfilter(raw[at] ?? 0, raw.subarray(at + 1, at + 1 + stride), above, step);
      for (let column = 0; column < columns; column++) {
        fillBlock(left + column * stepX, y, wide, high, colour(row, column));
      }
      above = row;
      at += 1 + stride;
      rows++;
    }
  }
  return finished();

  function fillBlock(x: number, y: number, wide: number, high: number, value: readonly number[]): void {
    for (let row = y; row < Math.min(height, y + high); row++)
      for (let column = x; column < Math.min(width, x + wide); column++) pixels.set(value, 4 * (row * width + column));
  }
  function finished(): Pixels {
    if (rows === 0) throw damaged();
    return { width, height, data: pixels };
  }
}

function readChunks(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(12) !== 0x49484452) throw damaged();
  const data: Uint8Array[] = [];
  let [palette, alphas] = [new Uint8Array(0), new Uint8Array(0)];
  for (let at = 33; at + 8 < bytes.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.slice(at + 8, at + 8 + length);
    if (name === "IDAT") data.push(body);
    else if (name === "PLTE") palette = body;
    else if (name === "tRNS") alphas = body;
    else if (name === "IEND" || !/^[A-Za-z]{4}$/.test(name)) break;
    // Browsers draw what a damaged data chunk yields, and nothing of the chunks after it.
    const end = at + 8 + length;
    if (name === "IDAT" && (end + 4 > bytes.length || view.getUint32(end) !== crc32(bytes.subarray(at + 4, end))))
      break;
    at = end + 4;
  }
  return { header: new DataView(bytes.buffer, bytes.byteOffset + 16, 13), palette, alphas, data };
}

/** Everything that inflates before the stream ends or breaks. */
function inflateWhatIsThere(data: readonly Uint8Array[]): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const inflate = createInflate();
    const end = (): void => resolve(Buffer.concat(pieces));
    inflate.on("data", (piece: Buffer) => pieces.push(piece));
    inflate.on("error", end);
    inflate.on("end", end);
    for (const piece of data) inflate.write(piece);
    inflate.end();
  });
}

function unfilter(filter: number, row: Uint8Array, above: Uint8Array, step: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(row.length);
  for (let i = 0; i < row.length; i++) {
    const [a, b, c] = [out[i - step] ?? 0, above[i] ?? 0, i < step ? 0 : (above[i - step] ?? 0)];
    const guess = filter === 1 ? a : filter === 2 ? b : filter === 3 ? (a + b) >> 1 : filter === 4 ? paeth(a, b, c) : 0;
    out[i] = (row[i] ?? 0) + guess;
  }
  return out;
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** Returns a function that reads the red, green, blue and alpha of one pixel from a row's bytes. */
function colourOf(
  type: number,
  depth: number,
  palette: Uint8Array,
  alphas: Uint8Array,
): (row: Uint8Array, column: number) => readonly number[] {
  const channels = channelsOf[type] ?? 1;
  const most = 2 ** Math.min(depth, 8) - 1;
  /** The i-th sample of the row; of a 16-bit sample the upper 8 bits. */
  const sample = (row: Uint8Array, i: number): number => {
    if (depth >= 8) return row[(i * depth) >> 3] ?? 0;
    return ((row[(i * depth) >> 3] ?? 0) >> (8 - depth - ((i * depth) & 7))) & most;
  };
  /** The one colour that tRNS makes transparent in a file without an alpha channel. */
  const clear =
    type === 0 || type === 2
      ? Array.from({ length: alphas.length >> 1 }, (_, i) => alphas[2 * i + (depth === 16 ? 0 : 1)])
      : [];
  return (row, column) => {
    const [v0 = 0, v1 = 0, v2 = 0, v3 = 255] = Array.from({ length: channels }, (_, i) =>
      sample(row, column * channels + i),
    );
    const scaled = (value: number): number => Math.round((value * 255) / most);
    if (type === 3)
      return [palette[3 * v0] ?? 0, palette[3 * v0 + 1] ?? 0, palette[3 * v0 + 2] ?? 0, alphas[v0] ?? 255];
    if (type === 4) return [v0, v0, v0, v1];
    if (type === 6) return [v0, v1, v2, v3];
    const hidden = clear.length > 0 && [v0, v1, v2].slice(0, channels).every((value, i) => value === clear[i]);
    const grey = scaled(v0);
    return type === 0 ? [grey, grey, grey, hidden ? 0 : 255] : [v0, v1, v2, hidden ? 0 : 255];
  };
}

function damaged(): EngineError {
  return new EngineError("bad-image", "the file is damaged before its first row");
}
