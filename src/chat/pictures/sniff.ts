// Which picture format a file is, by its first bytes; a file name can be wrong. Pure.

export type PictureFormat = "png" | "jpeg" | "gif" | "webp" | "bmp" | "avif" | "ico" | "heic" | "unknown";

/** How many bytes `sniffFormat` wants to see. */
export const sniffBytes = 32;

/** The format these first bytes belong to. */
export function sniffFormat(head: Uint8Array): PictureFormat {
  const text = (from: number, to: number): string => String.fromCharCode(...head.subarray(from, to));
  if (text(1, 4) === "PNG") return "png";
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return "jpeg";
  if (text(0, 4) === "GIF8") return "gif";
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return "webp";
  if (text(0, 2) === "BM") return "bmp";
  if (text(0, 4) === "\0\0\x01\0") return "ico";
  if (text(4, 8) === "ftyp") {
    // ISO base media: the major brand, then the compatible ones.
    const brands = text(8, 32);
    if (/avi[fs]/.test(brands)) return "avif";
    if (/hei[cxms]|hev[cxm]|mif1|msf1/.test(brands)) return "heic";
  }
  return "unknown";
}
