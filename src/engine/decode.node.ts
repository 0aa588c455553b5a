// Picture files to upright pixels in Node, by sharp. Knows no model.
import sharp from "sharp";
import { EngineError } from "./errors.ts";
import { sniffPicture } from "./picture-file.ts";
import type { Pixels } from "./types.ts";

/** Decodes a picture file: EXIF orientation applied, first frame of an animation, sRGB; throws "bad-image". */
export async function decodeImage(blob: Blob): Promise<Pixels> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  if (bytes.length === 0) throw new EngineError("bad-image", "the file is empty");
  if (sniffPicture(bytes).kind === "heic") throw new EngineError("bad-image", "heic: this decoder has no HEIC");
  try {
    const { data, info } = await sharp(bytes, { pages: 1, limitInputPixels: 400e6 })
      .rotate()
      .toColourspace("srgb")
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data };
  } catch (error) {
    throw new EngineError("bad-image", "the file is not a picture, or it is damaged", { cause: error });
  }
}
