// Small pictures for the list of conversations, made once per visit from the first picture of each. Does not know where pictures are
// stored.
import { refusePicture } from "#formats/picture-file.ts";

export interface Thumbnails {
  /** A picture of the conversation as it was saved at `updatedAt`; undefined when it has none, or none that can be drawn. */
  of(id: string, updatedAt: number): Promise<Blob | undefined>;
}

/** In pixels: twice the size in the list, for sharp screens. */
const side = 96;
/** Drawing a larger picture takes too long, and too much memory, for a list. */
const [mostBytes, mostPixels] = [32 * 2 ** 20, 36e6];
const mostKept = 500;

/** `read` gives the whole picture. One is drawn at a time, so that a long list needs no more memory than one picture. */
export function createThumbnails(read: (id: string) => Promise<Blob | undefined>): Thumbnails {
  const made = new Map<string, Promise<Blob | undefined>>();
  let queue: Promise<unknown> = Promise.resolve();
  return {
    of(id, updatedAt) {
      const key = `${id} ${updatedAt}`;
      const known = made.get(key);
      if (known !== undefined) return known;
      const drawn = queue.then(async () => {
        const picture = await read(id);
        if (picture === undefined || picture.size > mostBytes) return undefined;
        // Imported pictures have not been made smaller, unlike those that were added to a question.
        const refusal = refusePicture(new Uint8Array(await picture.arrayBuffer()), mostPixels);
        return refusal === undefined ? draw(picture) : undefined;
      });
      const settled = drawn.catch(() => undefined);
      queue = settled;
      made.set(key, settled);
      const [oldest] = made.keys();
      if (made.size > mostKept && oldest !== undefined) made.delete(oldest);
      return settled;
    },
  };
}

/** The middle square of a picture. */
async function draw(picture: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(picture);
  try {
    const from = Math.min(bitmap.width, bitmap.height);
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("the browser gives no canvas");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, (bitmap.width - from) / 2, (bitmap.height - from) / 2, from, from, 0, 0, side, side);
    return await canvas.convertToBlob({ type: "image/webp", quality: 0.8 });
  } finally {
    bitmap.close();
  }
}
