// For tests: picture files as phones, cameras, editors and broken connections leave them, and what a browser shows of each.
import sharp from "sharp";

const [width, height] = [64, 48];
/** Different in every corner, and with a little noise, so that a file is long enough to be cut at a place that means something. */
const pixelAt = (x: number, y: number): readonly [number, number, number] => {
  const noise = (x * x * 7 + y * y * 13 + x * y) % 8;
  return [x * 3 + noise, y * 4 + noise, 248 - x * 2 - y + noise];
};
export const original = {
  width,
  height,
  rgb: Buffer.from(Array.from({ length: width * height }, (_, i) => pixelAt(i % width, Math.floor(i / width))).flat()),
};

export interface OddPicture {
  readonly name: string;
  readonly file: Uint8Array<ArrayBuffer>;
  /** "whole", "top" (the upper rows, transparent below), or "nothing", which is refused. */
  readonly shown: "whole" | "top" | "nothing";
  /** Most that a channel may differ from the original. */
  readonly tolerance: number;
}

/** Every kind that the page and the command line both read, and some that neither does. */
export async function oddPictures(): Promise<readonly OddPicture[]> {
  const source = sharp(original.rgb, { raw: { width, height, channels: 3 } });
  const jpeg = await source.clone().jpeg({ quality: 100, chromaSubsampling: "4:4:4", mozjpeg: false }).toBuffer();
  const progressive = await source.clone().jpeg({ quality: 100, progressive: true }).toBuffer();
  const png = await source.clone().png({ adaptiveFiltering: true }).toBuffer();
  const interlaced = await source.clone().png({ progressive: true }).toBuffer();
  const gif = await source.clone().gif({ dither: 0 }).toBuffer();
  const frames = sharp(Buffer.concat([original.rgb, original.rgb.map((value) => 255 - value)]), {
    raw: { width, height: 2 * height, channels: 3, pageHeight: height },
  });
  const animation = await frames.gif({ dither: 0 }).toBuffer();
  const webp = await source.clone().webp().toBuffer();
  const avif = await source.clone().avif().toBuffer();
  const part = (bytes: Buffer, share: number): Buffer => bytes.subarray(0, Math.floor(bytes.length * share));
  const scan = findMarker(jpeg, 0xda);
  const scanEnd = scan + 2 + jpeg.readUInt16BE(scan + 2);
  const put = (bytes: Buffer, at: number, ...more: number[]): Buffer =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(more), bytes.subarray(at)]);
  const set = (bytes: Buffer, at: number, value: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = value;
    return copy;
  };
  const rows = (name: string, file: Buffer, shown: OddPicture["shown"], tolerance: number): OddPicture => ({
    name,
    file: new Uint8Array(file),
    shown,
    tolerance,
  });
  return [
    rows("JPEG with an odd byte in its scan header, as some phones write", set(jpeg, scanEnd - 1, 1), "whole", 8),
    rows("JPEG whose scan header ends its spectrum at 0", set(jpeg, scanEnd - 2, 0), "whole", 8),
    rows("JPEG with garbage before a marker", put(jpeg, scan, 0, 9, 9), "whole", 8),
    rows("JPEG with fill bytes", put(jpeg, 2, 0xff, 0xff), "whole", 8),
    rows("JPEG without its end", jpeg.subarray(0, -2), "whole", 8),
    rows("JPEG with a video behind it", Buffer.concat([jpeg, Buffer.alloc(5000, "\xff\xda..", "latin1")]), "whole", 8),
    rows("two JPEGs in one file", Buffer.concat([jpeg, jpeg]), "whole", 8),
    rows("JPEG of inks", await source.clone().toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer(), "whole", 255),
    rows("half a JPEG", part(jpeg, 0.6), "top", 8),
    rows("half a progressive JPEG", part(progressive, 0.8), "whole", 60),
    rows("PNG without its end", png.subarray(0, -12), "whole", 0),
    rows("PNG cut within its last checksum", png.subarray(0, -14), "whole", 0),
    rows("half a PNG", part(png, 0.5), "top", 0),
    rows("half an interlaced PNG", part(interlaced, 0.7), "whole", 30),
    rows("PNG with a wrong checksum", set(png, png.length - 14, (png.at(-14) ?? 0) ^ 1), "whole", 0),
    rows("PNG with bytes behind it", Buffer.concat([png, Buffer.alloc(100, 7)]), "whole", 0),
    rows("half a GIF", part(gif, 0.7), "top", 60),
    rows("GIF without its end", gif.subarray(0, -1), "whole", 60),
    rows("GIF cut in its second frame", part(animation, 0.8), "whole", 60),
    rows("half a WebP", part(webp, 0.5), "nothing", 0),
    rows("half an AVIF", part(avif, 0.5), "nothing", 0),
    rows("the first bytes of a PNG", png.subarray(0, 50), "nothing", 0),
    rows("the first bytes of a JPEG", jpeg.subarray(0, 100), "nothing", 0),
    ...bitmaps().map(([name, file, tolerance, shown = "whole"]) => rows(name, file, shown, tolerance)),
    rows("icon with a PNG inside", icon(png), "whole", 0),
  ];
}

function findMarker(bytes: Buffer, marker: number): number {
  let at = 2;
  while (bytes[at + 1] !== marker) at += 2 + bytes.readUInt16BE(at + 2);
  return at;
}

function bitmaps(): (readonly [string, Buffer, number, ("whole" | "top")?])[] {
  const five = (r: number, g: number, b: number): number[] => word(((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3));
  const six = (r: number, g: number, b: number): number[] => word(((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3));
  // Of 4 and 8 bits: 16 greys of the picture's green, with these tables.
  const greys = Array.from({ length: 16 }, (_, i) => [i * 12, i * 12, i * 12, 0]).flat();
  const whole = bitmap({ bits: 24, pixel: (r, g, b) => [b, g, r] });
  return [
    ["BMP of 24 bits", whole, 0],
    ["BMP from the top down", bitmap({ bits: 24, topDown: true, pixel: (r, g, b) => [b, g, r] }), 0],
    [
      "half a BMP from the top down",
      half(bitmap({ bits: 24, topDown: true, pixel: (r, g, b) => [b, g, r] })),
      0,
      "top",
    ],
    ["BMP of 32 bits whose fourth means nothing", bitmap({ bits: 32, pixel: (r, g, b) => [b, g, r, 0] }), 0],
    ["BMP of 16 bits", bitmap({ bits: 16, pixel: five }), 8],
    ["BMP of 16 bits with masks", bitmap({ bits: 16, compression: 3, masks: [0xf800, 0x7e0, 0x1f], pixel: six }), 8],
    ["BMP of 8 bits, greys", bitmap({ bits: 8, table: greys, pixel: (_, g) => [Math.round(g / 12)] }), 256],
    [
      "BMP of run lengths",
      bitmap({ bits: 8, compression: 1, table: greys, pixel: (_, g) => [1, Math.round(g / 12)] }),
      256,
    ],
  ];
}

const half = (bytes: Buffer): Buffer => bytes.subarray(0, Math.floor(bytes.length / 2));
const word = (value: number): number[] => [value & 255, value >> 8];

function bitmap(kind: {
  readonly bits: number;
  readonly topDown?: boolean;
  readonly compression?: number;
  readonly masks?: readonly number[];
  readonly table?: readonly number[];
  readonly pixel: (r: number, g: number, b: number) => readonly number[];
}): Buffer {
  const { bits, topDown = false, compression = 0, masks = [], table = [], pixel } = kind;
  const lines = Array.from({ length: height }, (_, row) => {
    const y = topDown ? row : height - 1 - row;
    return Array.from({ length: width }, (__, x) => pixel(...pixelAt(x, y))).flat();
  });
  const data = compression === 1 ? [...lines.flatMap((line) => [...line, 0, 0]), 0, 1] : lines.flat();
  const head = Buffer.alloc(54 + 4 * masks.length + table.length);
  head.write("BM", "latin1");
  head.writeUInt32LE(head.length + data.length, 2);
  head.writeUInt32LE(head.length, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(topDown ? -height : height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(bits, 28);
  head.writeUInt32LE(compression, 30);
  head.writeUInt32LE(data.length, 34);
  head.writeUInt32LE(table.length / 4, 46);
  masks.forEach((mask, i) => head.writeUInt32LE(mask, 54 + 4 * i));
  head.set(table, 54 + 4 * masks.length);
  return Buffer.concat([head, Buffer.from(data)]);
}

function icon(png: Buffer): Buffer {
  const head = Buffer.alloc(22);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(1, 4);
  head.set([width, height], 6);
  head.writeUInt16LE(32, 12);
  head.writeUInt32LE(png.length, 14);
  head.writeUInt32LE(head.length, 18);
  return Buffer.concat([head, png]);
}
