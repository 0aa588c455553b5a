// Decodes picture files to upright pixels in Node: with sharp, and with our own readers for what browsers show and sharp does not (BMP, icons,
// damaged files). Memory is bounded: a picture that is too large is downscaled while it is read, or refused. Knows no model.
import sharp, { type Sharp } from "sharp";
import { decodeBmp, decodeIcon } from "./bmp.ts";
import { EngineError } from "#engine/errors.ts";
import { jpegScans, mostWholePixels, refusePicture, sniffPicture } from "#formats/picture-file.ts";
import { rescuePng } from "./png-rescue.node.ts";
import type { Pixels } from "#engine/types.ts";

// Each picture is decoded once, so sharp's cache would only hold memory.
sharp.cache(false);

/** The most pixels of a file that can be decoded row by row. */
const mostStreamed = 400e6;
/** In pixels: a picture larger than the first is downscaled to the second while it is read. The vision tower sees far fewer pixels anyway. */
const [large, shrunk] = [40e6, 16e6];

/**
 * Decodes a picture file to sRGB, with the EXIF orientation applied. Of an animation it takes the first frame, of a truncated file as much as is
 * there. Throws "bad-image".
 */
export async function decodeImage(blob: Blob): Promise<Pixels> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  if (bytes.length === 0) throw new EngineError("bad-image", "the file is empty");
  const head = sniffPicture(bytes);
  if (head.kind === "heic") throw new EngineError("bad-image", "heic: this decoder has no HEIC");
  const jpeg = head.kind === "jpeg" ? jpegScans(bytes) : undefined;
  const streams = head.interlaced !== true && (head.kind === "png" || (jpeg?.scans ?? 2) <= 1);
  const mostPixels = streams ? mostStreamed : mostWholePixels;
  const refusal = refusePicture(bytes, mostPixels);
  if (refusal !== undefined) throw new EngineError("bad-image", refusal.sentence);
  try {
    if (head.kind === "bmp") return decodeBmp(bytes);
    if (head.kind === "ico") return await decodeIcon(bytes, (png) => decodePng(png, mostWholePixels));
    if (head.kind === "png") return await decodePng(bytes, mostPixels);
    const pixels = await decode(bytes, mostPixels, "none", jpeg?.cut === true ? clearMissingRows : undefined);
    return pixels;
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError("bad-image", "the file is not a picture, or it is damaged", { cause: error });
  }
}

/** A truncated or damaged PNG is decoded as far as its data are good. */
async function decodePng(bytes: Uint8Array, mostPixels: number): Promise<Pixels> {
  try {
    return await decode(bytes, mostPixels, "error");
  } catch (error) {
    const { width = 0, height = 0 } = sniffPicture(bytes);
    if (width * height > mostWholePixels) throw error;
    return rescuePng(bytes);
  }
}

async function decode(
  bytes: Uint8Array,
  limitInputPixels: number,
  failOn: "none" | "error",
  mend?: (pixels: Pixels) => void,
): Promise<Pixels> {
  const open = (): Sharp => sharp(bytes, { pages: 1, failOn, limitInputPixels, sequentialRead: true });
  const { width, height, space, hasProfile, orientation } = await open().metadata();
  const cmyk = space === "cmyk" && !hasProfile;
  const pixels = width * height;
  if (pixels <= large && !cmyk && mend === undefined) return read(open().rotate());
  // Rotation needs the whole picture in memory, so it comes after downscaling.
  const scale = pixels > large ? Math.sqrt(shrunk / pixels) : 1;
  const sized = scale < 1 ? open().resize(Math.max(1, Math.round(width * scale))) : open();
  const found = cmyk ? await readInk(sized) : await read(sized);
  mend?.(found);
  return orientation === undefined || orientation === 1 ? found : turn(found, orientation);
}

async function read(picture: Sharp): Promise<Pixels> {
  const { data, info } = await picture.toColourspace("srgb").ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/** Converts CMYK without a colour profile as browsers and Pillow do: each ink takes its share from white. */
async function readInk(picture: Sharp): Promise<Pixels> {
  const inks = picture.pipelineColourspace("cmyk").toColourspace("cmyk").raw();
  const { data, info } = await inks.toBuffer({ resolveWithObject: true });
  const out = new Uint8ClampedArray(4 * info.width * info.height);
  for (let i = 0; i < out.length; i += 4) {
    const left = 255 - (data[i + 3] ?? 0);
    for (let c = 0; c < 3; c++) out[i + c] = ((255 - (data[i + c] ?? 0)) * left) / 255;
    out[i + 3] = 255;
  }
  return { width: info.width, height: info.height, data: out };
}

/** Applies an EXIF orientation from 2 to 8. */
async function turn({ width, height, data }: Pixels, orientation: number): Promise<Pixels> {
  const raw = sharp(data, { raw: { width, height, channels: 4 }, limitInputPixels: false });
  const mirrored = orientation === 2 || orientation === 4 || orientation === 5 || orientation === 7;
  const degrees = { 3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270 }[orientation] ?? 0;
  const first = mirrored ? await read(raw.flop()) : { width, height, data };
  return read(sharp(first.data, { raw: { width, height, channels: 4 }, limitInputPixels: false }).rotate(degrees));
}

/** Clears the rows missing from the end of a truncated JPEG: the decoder fills them with grey, a browser leaves them transparent. */
function clearMissingRows({ width, height, data }: Pixels): void {
  let row = height;
  const isGrey = (y: number): boolean => {
    for (let at = 4 * y * width; at < 4 * (y + 1) * width; at++)
      if (data[at] !== (at % 4 === 3 ? 255 : 128)) return false;
    return true;
  };
  while (row > 0 && isGrey(row - 1)) row--;
  if (row === 0) throw new EngineError("bad-image", "the file ends before its first row");
  data.fill(0, 4 * row * width);
}
