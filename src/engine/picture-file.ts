// Looks at the first bytes of a picture file: which kind it is and, where the header says it early, how large. Decodes nothing.

export interface PictureHead {
  readonly kind: "png" | "jpeg" | "webp" | "gif" | "avif" | "bmp" | "heic" | "unknown";
  /** In pixels, before EXIF orientation; absent where the head does not tell. */
  readonly width?: number;
  readonly height?: number;
}

/** Bytes that are enough for `sniffPicture` on nearly every file. */
export const headBytes = 256 * 1024;

/** What the beginning of a file says about it. */
export function sniffPicture(bytes: Uint8Array): PictureHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
  if (bytes.length < 30) return { kind: "unknown" };
  if (text(1, 4) === "PNG") return { kind: "png", width: view.getUint32(16), height: view.getUint32(20) };
  if (text(0, 3) === "GIF") return { kind: "gif", width: view.getUint16(6, true), height: view.getUint16(8, true) };
  if (text(0, 2) === "BM") {
    return { kind: "bmp", width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
  }
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return webp(view, text(12, 16));
  if (text(4, 8) === "ftyp") return isoMedia(bytes, text);
  if (view.getUint16(0) === 0xffd8) return jpeg(view);
  return { kind: "unknown" };
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

/** HEIC and AVIF are told apart by their brands; `mif1` alone is used by both. */
function isoMedia(bytes: Uint8Array, text: (from: number, to: number) => string): PictureHead {
  const length = Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), bytes.length, 256);
  const brands = text(8, length);
  if (brands.includes("avif") || brands.includes("avis")) {
    const at = text(0, Math.min(bytes.length, 4096)).indexOf("ispe");
    if (at < 0 || at + 16 > bytes.length) return { kind: "avif" };
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return { kind: "avif", width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
  }
  return { kind: /heic|heix|hevc|hevx|heim|heis|mif1|msf1/.test(brands) ? "heic" : "unknown" };
}

/** Walks the segments to the frame header, which follows EXIF and colour profiles. */
function jpeg(view: DataView): PictureHead {
  let at = 2;
  while (at + 9 < view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { kind: "jpeg", height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
  return { kind: "jpeg" };
}
