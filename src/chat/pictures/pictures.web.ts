// Opens the files that a user gives by letting the browser decode them: what it can decode here, the worker can decode, too. A damaged file
// is replaced by what the browser's image element shows of it, which shows more than the browser's other decoders.
import { browserPictureKind, mostWholePixels, refusePicture, sniffPicture } from "#formats/picture-file.ts";
import type { Picture } from "#chat/conversation/conversation.ts";
import { newId } from "#chat/new-id.ts";

/** Why a file can't be used as a picture; the page has a sentence for each. */
export type PictureProblem =
  "heic" | "broken" | "not-a-picture" | "unreadable" | "not-fetched" | "silent" | "too-large" | "too-slow";

export type OpenedPicture =
  | { readonly ok: true; readonly picture: Picture }
  | { readonly ok: false; readonly name: string; readonly problem: PictureProblem };

/** Copies the bytes, so that the picture stays readable when its file changes, and checks that they can be decoded. */
export async function openPicture(file: Blob, name: string): Promise<OpenedPicture> {
  let bytes: ArrayBuffer;
  try {
    bytes = await file.arrayBuffer();
  } catch {
    return { ok: false, name, problem: "unreadable" };
  }
  const refusal = refusePicture(new Uint8Array(bytes), mostWholePixels);
  if (refusal) return { ok: false, name, problem: refusal.why === "pixels" ? "too-large" : "too-slow" };
  const format = browserPictureKind(new Uint8Array(bytes));
  const type = format === "unknown" ? file.type : format === "ico" ? "image/x-icon" : `image/${format}`;
  const blob = new Blob([bytes], { type });
  try {
    const smaller = await shrinkIfLarge(blob, new Uint8Array(bytes));
    if (smaller) return { ok: true, picture: { id: newId(), name, blob: smaller } };
    // Only whether it decodes matters here, so the bitmap may be tiny.
    const bitmap = await createImageBitmap(blob, { resizeWidth: 16, resizeHeight: 16, resizeQuality: "low" });
    bitmap.close();
    return { ok: true, picture: { id: newId(), name, blob } };
  } catch {
    const drawn = format === "unknown" ? undefined : await drawAnew(blob);
    if (drawn) return { ok: true, picture: { id: newId(), name, blob: drawn } };
    return { ok: false, name, problem: format === "heic" ? "heic" : format === "unknown" ? "not-a-picture" : "broken" };
  }
}

/** A picture with more than the first number of pixels is scaled down to the second: the browser shows it with several copies of 4 bytes per
 * pixel. */
const [largePixels, shrunkPixels] = [36e6, 16e6];

/** A large picture upright and scaled down; undefined where it is not large. Rejects where it can't be decoded. */
async function shrinkIfLarge(blob: Blob, bytes: Uint8Array): Promise<Blob | undefined> {
  const { width = 0, height = 0, kind } = sniffPicture(bytes);
  if (width * height <= largePixels) return undefined;
  // The header has the size before EXIF turns the picture, so the shorter side is a safe width either way.
  const scale = Math.sqrt(shrunkPixels / (width * height));
  const resizeWidth = Math.max(1, Math.floor(Math.min(width, height) * scale));
  const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image", resizeWidth, resizeQuality: "high" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.convertToBlob({ type: kind === "jpeg" ? "image/jpeg" : "image/png", quality: 0.95 });
}

/** What an image element shows of a file, as a PNG, upright; undefined where it shows nothing. */
async function drawAnew(blob: Blob): Promise<Blob | undefined> {
  const address = URL.createObjectURL(blob);
  try {
    const image = new Image();
    const shown = new Promise<boolean>((resolve) => {
      image.onload = () => resolve(true);
      image.onerror = () => resolve(false);
    });
    image.src = address;
    if (!(await shown)) return undefined;
    if (isTransparent(image)) return undefined;
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    canvas.getContext("2d")?.drawImage(image, 0, 0);
    return await canvas.convertToBlob({ type: "image/png" });
  } catch {
    return undefined; // Damaged beyond what even an image element can do.
  } finally {
    URL.revokeObjectURL(address);
  }
}

function isTransparent(image: HTMLImageElement): boolean {
  const context = new OffscreenCanvas(64, 64).getContext("2d", { willReadFrequently: true });
  context?.drawImage(image, 0, 0, 64, 64);
  return context?.getImageData(0, 0, 64, 64).data.every((value) => value === 0) !== false;
}
