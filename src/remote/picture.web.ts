// Encodes pictures for servers with the browser's decoder: upright, limited in size, and without the camera's metadata (place, time, device).
// Some servers decode only PNG and JPEG, and most ignore the EXIF orientation.
import { EngineError } from "#engine/errors.ts";

/** In pixels; the tiles of LLaVA models are far smaller. */
const longestSide = 2048;

/** A JPEG where the source is of a format for photographs, otherwise a PNG. Throws EngineError "bad-image". */
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
  // Training pipelines fill transparency with white or black; white is what users see.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const photograph = /^image\/(jpeg|webp|avif|heic|heif)$/.test(blob.type);
  return canvas.convertToBlob(photograph ? { type: "image/jpeg", quality: 0.92 } : { type: "image/png" });
}
