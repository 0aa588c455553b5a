// Decodes BMP files and the pictures of icon files as browsers show them. For Node only, since sharp reads neither; pure functions over bytes.
import { EngineError } from "#engine/errors.ts";
import type { Pixels } from "#engine/types.ts";

interface Header {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** The colour table: its offset, its number of entries, and the bytes of each entry. */
  readonly table: { readonly at: number; readonly count: number; readonly bytes: number };
  /** For 16 and 32 bits per pixel: the bit masks of red, green, blue and alpha. */
  readonly masks: readonly [number, number, number, number];
}

const [rgb, rle8, rle4, bitFields, alphaBitFields] = [0, 1, 2, 3, 6];

/** Decodes a BMP file. Rows missing from a truncated file stay transparent. Throws "bad-image". */
export function decodeBmp(bytes: Uint8Array): Pixels {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 26) throw damaged();
  const header = readHeader(view, 14, false);
  return decodeRows(view, header, view.getUint32(10, true));
}

/** Decodes the largest picture of an icon file; `decodePng` decodes an embedded PNG file. Throws "bad-image". */
export async function decodeIcon(bytes: Uint8Array, decodePng: (png: Uint8Array) => Promise<Pixels>): Promise<Pixels> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = Array.from({ length: view.getUint16(4, true) }, (_, i) => 6 + 16 * i)
    .filter((at) => at + 16 <= bytes.length)
    .map((at) => ({
      side: view.getUint8(at) || 256,
      bits: view.getUint16(at + 6, true),
      bytes: view.getUint32(at + 8, true),
      offset: view.getUint32(at + 12, true),
    }));
  const [best] = entries.sort((a, b) => b.side - a.side || b.bits - a.bits);
  if (!best || best.offset + 40 > bytes.length) throw damaged();
  const inside = bytes.subarray(best.offset, Math.min(bytes.length, best.offset + best.bytes));
  if (inside[0] === 0x89) return decodePng(inside);
  return decodeIconBitmap(new DataView(inside.buffer, inside.byteOffset, inside.byteLength));
}

/** Decodes a bitmap without a file header. Its header says twice the height: after the colours comes a 1-bit transparency mask. */
function decodeIconBitmap(view: DataView): Pixels {
  const header = readHeader(view, 0, true);
  const start = header.table.at + header.table.count * header.table.bytes;
  const pixels = decodeRows(view, header, start);
  const { data, width, height } = pixels;
  if (header.bits === 32 && data.some((value, i) => i % 4 === 3 && value !== 0)) return pixels;
  const maskAt = start + rowBytes(width, header.bits) * height;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = maskAt + rowBytes(width, 1) * (height - 1 - y) + (x >> 3);
      const hidden = at < view.byteLength && ((view.getUint8(at) >> (7 - (x & 7))) & 1) === 1;
      data[4 * (y * width + x) + 3] = hidden ? 0 : 255;
    }
  }
  return pixels;
}

function readHeader(view: DataView, at: number, inIcon: boolean): Header {
  const size = view.getUint32(at, true);
  const early = size === 12;
  if ((!early && size < 16) || at + size > view.byteLength) throw damaged();
  const field = (offset: number): number => (offset + 4 <= size ? view.getUint32(at + offset, true) : 0);
  const width = early ? view.getUint16(at + 4, true) : view.getInt32(at + 4, true);
  const signed = early ? view.getInt16(at + 6, true) : view.getInt32(at + 8, true);
  const bits = view.getUint16(at + (early ? 10 : 14), true);
  const compression = early ? rgb : field(16);
  const height = Math.abs(signed) / (inIcon ? 2 : 1);
  if (width <= 0 || height < 1 || ![1, 4, 8, 16, 24, 32].includes(bits)) throw damaged();
  if (![rgb, rle8, rle4, bitFields, alphaBitFields].includes(compression)) throw damaged();
  // The masks are part of a header that is long enough, and follow a shorter one.
  const hasMasks = compression === bitFields || compression === alphaBitFields;
  const behind = hasMasks && size === 40 ? (compression === alphaBitFields ? 16 : 12) : 0;
  const mask = (i: number): number => (40 + 4 * i < size + behind ? view.getUint32(at + 40 + 4 * i, true) : 0);
  const plain = bits === 16 ? ([0x7c00, 0x3e0, 0x1f, 0] as const) : ([0xff0000, 0xff00, 0xff, 0] as const);
  const masks = hasMasks
    ? ([mask(0), mask(1), mask(2), mask(3)] as const)
    : inIcon && bits === 32
      ? ([plain[0], plain[1], plain[2], 0xff000000] as const)
      : plain;
  const used = field(32);
  const count = bits > 8 ? 0 : Math.min(used === 0 ? 2 ** bits : used, 256);
  return {
    width,
    height: Math.floor(height),
    topDown: signed < 0,
    bits,
    compression,
    table: { at: at + size + behind, count, bytes: early ? 3 : 4 },
    masks,
  };
}

const rowBytes = (width: number, bits: number): number => Math.ceil((width * bits) / 32) * 4;

function decodeRows(view: DataView, header: Header, start: number): Pixels {
  const { width, height, topDown, bits, compression } = header;
  const data = new Uint8ClampedArray(4 * width * height);
  const put = (x: number, row: number, [r, g, b, a]: readonly number[]): void => {
    data.set([r ?? 0, g ?? 0, b ?? 0, a ?? 255], 4 * ((topDown ? row : height - 1 - row) * width + x));
  };
  const colours = colourTable(view, header);
  if (compression === rle8 || compression === rle4) {
    readRuns(view, header, start, (x, row, index) => put(x, row, colours[index] ?? [0, 0, 0, 255]));
    return { width, height, data };
  }
  const stride = rowBytes(width, bits);
  const channel = header.masks.map((mask, i) => channelOf(mask, i === 3 ? 255 : 0));
  for (let row = 0; row < height; row++) {
    const at = start + row * stride;
    if (at + Math.ceil((width * bits) / 8) > view.byteLength) break;
    for (let x = 0; x < width; x++) {
      if (bits <= 8) {
        const byte = view.getUint8(at + ((x * bits) >> 3));
        const index = (byte >> (8 - bits - ((x * bits) & 7))) & (2 ** bits - 1);
        put(x, row, colours[index] ?? [0, 0, 0, 255]);
      } else if (bits === 24) {
        const pixel = at + 3 * x;
        put(x, row, [view.getUint8(pixel + 2), view.getUint8(pixel + 1), view.getUint8(pixel), 255]);
      } else {
        const value = bits === 16 ? view.getUint16(at + 2 * x, true) : view.getUint32(at + 4 * x, true);
        put(
          x,
          row,
          channel.map((of) => of(value)),
        );
      }
    }
  }
  return { width, height, data };
}

/** Extracts a channel from a pixel's value by its mask, scaled to 0 to 255; `absent` where the mask is empty. */
function channelOf(mask: number, absent: number): (value: number) => number {
  if (mask === 0) return () => absent;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (value) => Math.round((((value & mask) >>> shift) * 255) / most);
}

function colourTable(view: DataView, { table }: Header): readonly (readonly number[])[] {
  const entries = Array.from({ length: table.count }, (_, i) => table.at + i * table.bytes);
  return entries
    .filter((at) => at + 3 <= view.byteLength)
    .map((at) => [view.getUint8(at + 2), view.getUint8(at + 1), view.getUint8(at), 255]);
}

/** Decodes run-length encoding: (count, value) pairs, or 0 and an escape code: end of row, end of picture, move, or literal values. */
function readRuns(
  view: DataView,
  { width, height, compression }: Header,
  start: number,
  put: (x: number, row: number, index: number) => void,
): void {
  const four = compression === rle4;
  const half = (byte: number, i: number): number => (four ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte);
  let [x, row, at] = [0, 0, start];
  const draw = (index: number): void => {
    if (x < width && row < height) put(x, row, index);
    x++;
  };
  /** What a row leaves out is black. */
  const fillTo = (endX: number, endRow: number): void => {
    while (row < endRow && row < height) {
      while (x < width) draw(-1);
      [x, row] = [0, row + 1];
    }
    while (x < endX && x < width) draw(-1);
  };
  while (at + 2 <= view.byteLength && row < height) {
    const [count, order] = [view.getUint8(at), view.getUint8(at + 1)];
    at += 2;
    if (count > 0) {
      for (let i = 0; i < count; i++) draw(half(order, i));
    } else if (order === 0) {
      fillTo(0, row + 1);
    } else if (order === 1) {
      fillTo(0, height);
    } else if (order === 2) {
      if (at + 2 > view.byteLength) return;
      fillTo(x + view.getUint8(at), row + view.getUint8(at + 1));
      at += 2;
    } else {
      const bytes = four ? Math.ceil(order / 2) : order;
      if (at + bytes > view.byteLength) return;
      for (let i = 0; i < order; i++) draw(half(view.getUint8(at + (four ? i >> 1 : i)), i));
      at += bytes + (bytes % 2);
    }
  }
}

function damaged(): EngineError {
  return new EngineError("bad-image", "the file is damaged, or a kind of BMP that browsers do not show");
}
