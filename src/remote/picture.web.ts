// Pictures as servers can take them, by the browser's own decoder: upright, at most so large, and without what a camera notes
// beside them (place, time, device). Some servers decode nothing but PNG and JPEG, and most ignore which way is up.
import { EngineError } from "#engine/errors.ts";

/** Longest side in pixels; LLaVA's own tiles end far below. */
const longestSide = 2048;

/** A JPEG for what photographs come in, a PNG for the rest. Throws EngineError "bad-image". */
export async function encodePicture(blob: Blob): Promise<Blob> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch (error) {
    throw new EngineError("bad-image", "the picture could not be decoded", { cause: error });
  }
  const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(bitmap.width * scale)),
    Math.max(1, Math.round(bitmap.height * scale)),
  );
  const context = canvas.getContext("2d");
  if (context === null) throw new EngineError("internal", "no 2D canvas");
  // Where a picture is transparent, models were shown white or black; white is what people see.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const photograph = /^image\/(jpeg|webp|avif|heic|heif)$/.test(blob.type);
  return canvas.convertToBlob(photograph ? { type: "image/jpeg", quality: 0.92 } : { type: "image/png" });
}
