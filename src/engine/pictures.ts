// Measures a prompt's pictures: how many rows each takes, in one square, in tiles or in squares. Keeps their hashes, sizes and decoded pixels,
// and no tensors; knows no prompt but for the marks that stand for a picture's squares.
import { planAnyres } from "#engine/picture/anyres.ts";
import { hashPicture } from "#engine/model/image-features.ts";
import { planSquares } from "#engine/picture/squares.ts";
import type { EncodedImage, Model } from "#engine/model/model.ts";
import { createPictureEncoder, type Picture, type PictureClock } from "./encode-picture.ts";
import type { PictureSquares, PictureTiles } from "./package.ts";
import type { ImageMode, ImagePart, PictureDetail, Pixels } from "./types.ts";

export interface PictureOptions {
  readonly model: Model;
  /** How a picture without tiles becomes a square. */
  readonly imageAspect: Exclude<ImageMode, "auto">;
  /** Rows of a picture where the model has no tiles. */
  readonly imageTokens: number;
  readonly tiles?: PictureTiles | undefined;
  readonly squares?: PictureSquares | undefined;
  /** Decodes a picture file upright; throws EngineError("bad-image"). */
  readonly decodeImage: (blob: Blob) => Promise<Pixels>;
}

/** How a request wants its pictures to be seen. */
interface PictureView {
  readonly mode: ImageMode;
  readonly detail: PictureDetail;
}

/** "auto" looks at every detail where all squares of a picture are encoded in this time. */
const patienceMs = 6000;

export interface Pictures {
  /** Measures the pictures of one prompt, in order. Decodes those whose unknown size decides about tiles. */
  measure(parts: readonly ImagePart[], view: PictureView, clock: PictureClock): Promise<Picture[]>;
  /** Yields after each tile; returns the features [1, rows, hidden], which the caller disposes. */
  encode(picture: Picture, clock: PictureClock): AsyncGenerator<void, EncodedImage>;
  /** Drops pixels that were decoded and not encoded. */
  release(): void;
}

/** Starts without any picture. Longer than most functions: a closure over the decoded pixels, sizes and hashes. */
export function createPictures(options: PictureOptions): Pictures {
  const { model, tiles, squares } = options;
  const { config } = model;
  /** What "auto" chose, by the file's hash: a picture looks the same in all turns of a conversation. */
  const chosen = new Map<string, boolean>();
  const sizes = new Map<string, { readonly width: number; readonly height: number }>(); // by the file's hash
  const decoded = new Map<Blob, Pixels>();
  const hashes = new WeakMap<Blob, string>();
  const hashesById = new Map<string, string>();

  /** Hashes are kept: reading and hashing 5 MB takes as long as several decode steps, and every question includes all earlier pictures. */
  async function hashOf({ blob, id }: ImagePart): Promise<string> {
    const known = hashes.get(blob) ?? (id === undefined ? undefined : hashesById.get(id));
    const hash = known ?? (await hashPicture(blob));
    hashes.set(blob, hash);
    if (id !== undefined) hashesById.set(id, hash);
    return hash;
  }

  async function decode(blob: Blob, clock: PictureClock): Promise<Pixels> {
    const held = decoded.get(blob);
    if (held) return held;
    const started = performance.now();
    const pixels = await options.decodeImage(blob);
    clock.imageMs += performance.now() - started;
    return pixels;
  }

  const encoder = createPictureEncoder(model, tiles !== undefined, decode);

  async function sizeOf(hash: string, blob: Blob, clock: PictureClock) {
    const known = sizes.get(hash);
    if (known) return known;
    const pixels = await decode(blob, clock);
    decoded.set(blob, pixels);
    const size = { width: pixels.width, height: pixels.height };
    sizes.set(hash, size);
    return size;
  }

  /** Plans a picture that is seen in squares, or as one. */
  async function planOf(hash: string, blob: Blob, detail: PictureDetail, by: PictureSquares, clock: PictureClock) {
    const { width, height } = await sizeOf(hash, blob, clock);
    const config = { size: model.config.preprocess.size, ...by };
    const every = planSquares(width, height, true, config);
    const looks =
      detail === "auto" ? (chosen.get(hash) ?? every.tiles * encoder.squareMs() <= patienceMs) : detail === "every";
    if (detail === "auto") chosen.set(hash, looks);
    return looks ? every : planSquares(width, height, false, config);
  }

  return {
    async measure(parts, { mode, detail }, clock) {
      const out: Picture[] = [];
      const alone = parts.length === 1 || tiles?.onlyAlone !== true;
      const inTiles = tiles !== undefined && mode === "auto" && detail !== "quick" && alone;
      const fallback = mode === "auto" ? options.imageAspect : mode;
      for (const part of parts) {
        const { blob } = part;
        const hash = await hashOf(part);
        if (squares) {
          const shape = await planOf(hash, blob, detail, squares, clock);
          const { rows, tiles: count, spelling } = shape;
          out.push({ key: `${hash}/${count === 1 ? "square" : "squares"}`, blob, rows, shape, spelling, tiles: count });
        } else if (inTiles) {
          const { width, height } = await sizeOf(hash, blob, clock);
          const shape = planAnyres(width, height, { size: config.preprocess.size, ...tiles });
          out.push({ key: `${hash}/tiles`, blob, rows: shape.rows, shape });
        } else {
          const rows = tiles ? tiles.side ** 2 + 1 : options.imageTokens;
          out.push({ key: `${hash}/${fallback}`, blob, rows, shape: fallback });
        }
      }
      return out;
    },
    async *encode(picture, clock) {
      const encoded = yield* encoder.encode(picture, clock);
      decoded.delete(picture.blob);
      return encoded;
    },
    release: () => decoded.clear(),
  };
}
