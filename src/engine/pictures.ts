// Measures a prompt's pictures (rows in the prompt) and encodes them to features, from one square or from tiles. Keeps no tensors, knows no
// prompt but for the marks that stand for a picture's squares.
import { EngineError } from "./errors.ts";
import { anyresTiles, packAnyres, planAnyres, type AnyresPlan } from "#engine/picture/anyres.ts";
import { hashPicture } from "#engine/model/image-features.ts";
import { normalise, preprocess } from "#engine/picture/image.ts";
import { cutSquares, planSquares, type SquaresPlan } from "#engine/picture/squares.ts";
import type { EncodedImage, Model } from "#engine/model/model.ts";
import type { PictureSquares, PictureTiles } from "./package.ts";
import { elementCount, type RuntimeTensor } from "#engine/runtime/runtime.ts";
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

/** A picture of a prompt. Two with the same `key` have the same features. */
export interface Picture {
  readonly key: string;
  readonly blob: Blob;
  readonly rows: number;
  readonly shape: AnyresPlan | SquaresPlan | Exclude<ImageMode, "auto">;
  /** What stands for it in the prompt, where that is not one image token: `tiles` image tokens and the marks between them. */
  readonly spelling?: string | undefined;
  /** Its image tokens, each of which stands for as many rows; one where it is absent. */
  readonly tiles?: number | undefined;
}

/** How a request wants its pictures to be seen. */
interface PictureView {
  readonly mode: ImageMode;
  readonly detail: PictureDetail;
}

/** "auto" looks at every detail where all squares of a picture are encoded in this time. */
const patienceMs = 6000;

/** Milliseconds spent so far; the functions here add to them. */
export interface PictureClock {
  imageMs: number;
  visionMs: number;
}

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
  const { config, runtime } = model;
  /** What "auto" chose, by the file's hash: a picture looks the same in all turns of a conversation. */
  const chosen = new Map<string, boolean>();
  /** Of the quickest square so far. A GPU that has encoded none counts as quick, a CPU as slow. */
  let squareMs = runtime.device === "webgpu" && !runtime.software ? 0 : Infinity;
  let timed = false;
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

  async function sizeOf(hash: string, blob: Blob, clock: PictureClock) {
    const known = sizes.get(hash);
    if (known) return known;
    const pixels = await decode(blob, clock);
    decoded.set(blob, pixels);
    const size = { width: pixels.width, height: pixels.height };
    sizes.set(hash, size);
    return size;
  }

  async function square(picture: Picture, mode: Exclude<ImageMode, "auto">, clock: PictureClock) {
    const pixels = await decode(picture.blob, clock);
    const started = performance.now();
    const input = preprocess(pixels, mode, config.preprocess);
    const visionStarted = performance.now();
    clock.imageMs += visionStarted - started;
    const encoded = tiles ? await squareAndNewline(input) : await model.encodeImage(input);
    clock.visionMs += performance.now() - visionStarted;
    return encoded;
  }

  async function squareAndNewline(input: Float32Array): Promise<EncodedImage> {
    const { features, newline } = await model.encodeTile(input);
    const rows = new Float32Array(features.length + newline.length);
    rows.set(features);
    rows.set(newline, features.length);
    const tensor = runtime.upload(rows, [1, rows.length / newline.length, newline.length]);
    return { features: tensor, photograph: undefined };
  }

  async function* tiled(picture: Picture, plan: AnyresPlan, clock: PictureClock): AsyncGenerator<void, EncodedImage> {
    const pixels = await decode(picture.blob, clock);
    const started = performance.now();
    const cut = anyresTiles(pixels, plan);
    clock.imageMs += performance.now() - started;
    const encoded: Float32Array[] = [];
    let newline = new Float32Array();
    for (const rgb of cut) {
      const tileStarted = performance.now();
      const tile = await model.encodeTile(normalise(rgb, config.preprocess));
      clock.visionMs += performance.now() - tileStarted;
      checkRows(tile.features.length, plan.side ** 2);
      encoded.push(tile.features);
      newline = Float32Array.from(tile.newline);
      yield;
    }
    const rows = packAnyres(encoded, newline, plan);
    return { features: runtime.upload(rows, [1, plan.rows, config.hiddenSize]), photograph: undefined };
  }

  async function* inSquares(
    picture: Picture,
    plan: SquaresPlan,
    clock: PictureClock,
  ): AsyncGenerator<void, EncodedImage> {
    const pixels = await decode(picture.blob, clock);
    const started = performance.now();
    const cut = cutSquares(pixels, plan);
    clock.imageMs += performance.now() - started;
    const encoded: RuntimeTensor[] = [];
    try {
      for (const rgb of cut) {
        const squareStarted = performance.now();
        const { features } = await model.encodeImage(normalise(rgb, config.preprocess));
        encoded.push(features);
        const ms = performance.now() - squareStarted;
        clock.visionMs += ms;
        squareMs = timed ? Math.min(squareMs, ms) : ms;
        timed = true;
        checkRows(elementCount(features.dims), plan.rows / plan.tiles);
        yield;
      }
      const runs = encoded.map((tensor) => ({ tensor, start: 0, rows: plan.rows / plan.tiles }));
      return { features: model.concat(runs), photograph: undefined };
    } finally {
      for (const tensor of encoded) tensor.dispose();
    }
  }

  /** Plans a picture that is seen in squares, or as one. */
  async function planOf(hash: string, blob: Blob, detail: PictureDetail, by: PictureSquares, clock: PictureClock) {
    const { width, height } = await sizeOf(hash, blob, clock);
    const config = { size: model.config.preprocess.size, ...by };
    const every = planSquares(width, height, true, config);
    const looks = detail === "auto" ? (chosen.get(hash) ?? every.tiles * squareMs <= patienceMs) : detail === "every";
    if (detail === "auto") chosen.set(hash, looks);
    return looks ? every : planSquares(width, height, false, config);
  }

  const checkRows = (elements: number, rows: number): void => {
    if (elements === rows * config.hiddenSize) return;
    throw new EngineError("bad-package", `the vision graph yields ${elements / config.hiddenSize} rows, not ${rows}`);
  };

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
      const { shape } = picture;
      let encoded: EncodedImage;
      if (typeof shape === "string") encoded = await square(picture, shape, clock);
      else encoded = yield* "spelling" in shape ? inSquares(picture, shape, clock) : tiled(picture, shape, clock);
      decoded.delete(picture.blob);
      try {
        checkRows(elementCount(encoded.features.dims), picture.rows);
      } catch (error) {
        encoded.features.dispose();
        throw error;
      }
      return encoded;
    },
    release: () => decoded.clear(),
  };
}
