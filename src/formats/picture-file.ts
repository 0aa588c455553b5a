// What a picture file's header says: its format, its size, and whether it has to be decoded whole. Decodes nothing.

export type PictureKind = "png" | "jpeg" | "webp" | "gif" | "avif" | "bmp" | "ico" | "heic" | "tiff" | "unknown";

export interface PictureHead {
  readonly kind: PictureKind;
  /** In pixels, before EXIF orientation; absent where the head does not tell. */
  readonly width?: number;
  readonly height?: number;
  /** The rows do not follow one another: an interlaced PNG, a progressive JPEG. */
  readonly interlaced?: boolean;
}

/** Most pixels of a file that is decoded whole: 256 MB, and as much again while it is scaled. */
export const mostWholePixels = 64e6;

/** How many of a file's first bytes `pictureKind` looks at. */
export const kindBytes = 256;

/** Which format a file has, by its first bytes; its name can be wrong. */
export function pictureKind(bytes: Uint8Array): PictureKind {
  const text = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
  if (text(1, 4) === "PNG") return "png";
  if (text(0, 2) === "\xff\xd8") return "jpeg";
  if (text(0, 4) === "GIF8") return "gif";
  if (text(0, 2) === "BM") return "bmp";
  // Two zeros, the type 1 and the number of pictures.
  if (text(0, 4) === "\0\0\x01\0" && ((bytes[4] ?? 0) > 0 || (bytes[5] ?? 0) > 0)) return "ico";
  if (/^(II\*\0|MM\0\*)/.test(text(0, 4))) return "tiff";
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return "webp";
  if (text(4, 8) === "ftyp") return isoMediaKind(bytes, text);
  return "unknown";
}

/** The same for a browser, to which a TIFF is no picture. */
export function browserPictureKind(bytes: Uint8Array): Exclude<PictureKind, "tiff"> {
  const kind = pictureKind(bytes);
  return kind === "tiff" ? "unknown" : kind;
}

/** HEIC and AVIF are told apart by their brands; `mif1` alone is used by both. */
function isoMediaKind(bytes: Uint8Array, text: (from: number, to: number) => string): PictureKind {
  const boxBytes = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const brands = text(8, Math.min(boxBytes, kindBytes));
  if (/avi[fs]/.test(brands)) return "avif";
  return /hei[cxms]|hev[cxm]|mif1|msf1/.test(brands) ? "heic" : "unknown";
}

/** What the beginning of a file says about it. */
export function sniffPicture(bytes: Uint8Array): PictureHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Shorter than any picture, and than what is read below.
  if (bytes.length < 30) return { kind: "unknown" };
  const kind = pictureKind(bytes);
  switch (kind) {
    case "png": {
      const interlaced = view.getUint8(28) === 1 ? { interlaced: true } : {};
      return { kind, width: view.getUint32(16), height: view.getUint32(20), ...interlaced };
    }
    case "gif":
      return { kind, width: view.getUint16(6, true), height: view.getUint16(8, true) };
    case "bmp":
      return bmp(view);
    case "ico":
      return icon(view);
    case "webp":
      return webp(view, String.fromCharCode(...bytes.subarray(12, 16)));
    case "avif":
      return avif(bytes);
    case "jpeg":
      return jpeg(view);
    default:
      return { kind };
  }
}

function bmp(view: DataView): PictureHead {
  const early = view.getUint32(14, true) === 12; // OS/2's header has 16 bits per side.
  const side = (at: number): number =>
    Math.abs(early ? view.getInt16(18 + at / 2, true) : view.getInt32(18 + at, true));
  return { kind: "bmp", width: side(0), height: side(4) };
}

function webp(view: DataView, chunk: string): PictureHead {
  if (chunk === "VP8X") {
    const size = (at: number): number => 1 + view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
    return { kind: "webp", width: size(24), height: size(27) };
  }
  if (chunk === "VP8 ") {
    return { kind: "webp", width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (chunk === "VP8L") {
    const packed = view.getUint32(21, true);
    return { kind: "webp", width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 };
  }
  return { kind: "webp" };
}

/** The size stands in the first property `ispe` (image spatial extents). */
function avif(bytes: Uint8Array): PictureHead {
  const at = String.fromCharCode(...bytes.subarray(0, 4096)).indexOf("ispe");
  if (at < 0 || at + 16 > bytes.length) return { kind: "avif" };
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { kind: "avif", width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
}

/** The largest picture of an icon file; 0 stands for 256. */
function icon(view: DataView): PictureHead {
  const sides = (at: number): number[] => [view.getUint8(at) || 256, view.getUint8(at + 1) || 256];
  const entries = Array.from({ length: view.getUint16(4, true) }, (_, i) => 6 + 16 * i);
  const sizes = entries.filter((at) => at + 16 <= view.byteLength).map(sides);
  const [width = 0, height = 0] = sizes.sort((a, b) => (b[0] ?? 0) - (a[0] ?? 0))[0] ?? [];
  return { kind: "ico", width, height };
}

/** The frame header follows EXIF and colour profiles. */
function jpeg(view: DataView): PictureHead {
  for (const { marker, at } of jpegMarkers(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))) {
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (!isFrame || at + 9 > view.byteLength) continue;
    const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
    const progressive = marker % 4 === 2; // SOF2, 6, 10 and 14.
    return { kind: "jpeg", width, height, ...(progressive ? { interlaced: true } : {}) };
  }
  return { kind: "jpeg" };
}

/** A JPEG's markers up to the end of its picture (0xd9); bytes between segments and the data of scans are skipped. */
function* jpegMarkers(bytes: Uint8Array): Generator<{ readonly marker: number; readonly at: number }> {
  let at = bytes.indexOf(0xff, 2);
  while (at >= 0 && at + 1 < bytes.length) {
    const marker = bytes[at + 1] ?? 0;
    const alone = marker === 0 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd8);
    if (!alone) yield { marker, at };
    if (marker === 0xd9) return;
    const length = alone ? 0 : ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    at = bytes.indexOf(0xff, at + (marker === 0xff ? 1 : 2 + length));
  }
}

/** In how many scans a JPEG draws its picture (a decoder's work is this times the pixels), and whether the file is cut off. */
export function jpegScans(bytes: Uint8Array): { readonly scans: number; readonly cut: boolean } {
  let [scans, cut] = [0, true];
  for (const { marker } of jpegMarkers(bytes)) {
    if (marker === 0xda) scans++;
    if (marker === 0xd9) cut = false;
  }
  return { scans, cut };
}

/** The most pixels that several scans of a JPEG may draw altogether: a few seconds of a decoder's work. */
const mostScannedPixels = 3e9;
/** Far more than any encoder writes. */
const mostScans = 100;

export interface PictureRefusal {
  readonly why: "pixels" | "passes";
  readonly sentence: string;
}

/** Why a file must not be decoded: it would take more memory than `mostPixels` do, or too long. Undefined where it may be. */
export function refusePicture(bytes: Uint8Array, mostPixels: number): PictureRefusal | undefined {
  const { kind, width = 0, height = 0 } = sniffPicture(bytes);
  const pixels = width * height;
  if (pixels > mostPixels) {
    const millions = (count: number): string => (count / 1e6).toFixed(0);
    const most = `at most ${millions(mostPixels)} million can be read`;
    return { why: "pixels", sentence: `it has ${millions(pixels)} million pixels, and ${most}; make it smaller` };
  }
  const scans = kind === "jpeg" ? jpegScans(bytes).scans : 0;
  if (scans <= 1 || (scans <= mostScans && scans * pixels <= mostScannedPixels)) return undefined;
  const sentence = `it is drawn in ${scans} passes, which would take too long; save it anew in a picture editor`;
  return { why: "passes", sentence };
}
