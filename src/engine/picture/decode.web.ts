// Decodes picture files to upright pixels in a worker, with the browser's own decoders. Knows no model.
import { EngineError } from "#engine/errors.ts";
import { mostWholePixels, refusePicture, sniffPicture } from "#formats/picture-file.ts";
import type { Pixels } from "#engine/types.ts";

/** The browser downscales larger pictures while it decodes them. The vision tower sees far fewer pixels anyway. */
const maxPixels = 16e6;

/**
 * Decodes a picture file to sRGB, with the EXIF orientation applied. Of an animation it takes the first frame. Throws "bad-image"; the message
 * begins with "heic:" where the browser can't decode HEIC.
 */
export async function decodeImage(blob: Blob): Promise<Pixels> {
  if (blob.size === 0) throw new EngineError("bad-image", "the file is empty");
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const refusal = refusePicture(bytes, mostWholePixels);
  if (refusal) throw new EngineError("bad-image", refusal.sentence);
  const head = sniffPicture(bytes);
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image", ...downscale(head.width, head.height) });
  } catch (error) {
    const message =
      head.kind === "heic"
        ? "heic: this browser can't decode HEIC"
        : "the file is not a picture, or it is damaged, or of a kind this browser does not know";
    throw new EngineError("bad-image", message, { cause: error });
  }
  try {
    return readPixels(bitmap);
  } finally {
    bitmap.close();
  }
}

/** The file's header gives the size before EXIF rotation, so the shorter side is a safe width either way. */
function downscale(width: number | undefined, height: number | undefined): ImageBitmapOptions {
  if (width === undefined || height === undefined || width * height <= maxPixels) return {};
  const scale = Math.sqrt(maxPixels / (width * height));
  return { resizeWidth: Math.max(1, Math.floor(Math.min(width, height) * scale)), resizeQuality: "high" };
}

function readPixels(bitmap: ImageBitmap): Pixels {
  const scale = Math.min(1, Math.sqrt(maxPixels / (bitmap.width * bitmap.height)));
  const width = Math.max(1, Math.floor(bitmap.width * scale));
  const height = Math.max(1, Math.floor(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (!context) throw new EngineError("out-of-memory", "no canvas for the picture");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}
