// Encodes a picture to its features: as one square, in tiles with a newline after each row of them, or in squares. Knows no prompt.
import { EngineError } from "./errors.ts";
import { anyresTiles, packAnyres, type AnyresPlan } from "#engine/picture/anyres.ts";
import { normalise, preprocess } from "#engine/picture/image.ts";
import { cutSquares, type SquaresPlan } from "#engine/picture/squares.ts";
import type { EncodedImage, Model } from "#engine/model/model.ts";
import { elementCount, type RuntimeTensor } from "#engine/runtime/runtime.ts";
import type { ImageMode, Pixels } from "./types.ts";

/** A picture of a prompt. Two with the same `key` have the same features. */
export interface Picture {
  readonly key: string;
  readonly blob: Blob;
  readonly rows: number;
  readonly shape: AnyresPlan | SquaresPlan | Exclude<ImageMode, "auto">;
  /** What stands for it in the prompt, where that is not one image token: `tiles` image tokens and the marks between them. */
  readonly spelling?: string | undefined;
  /** How many image tokens the picture has in the prompt, each for the same number of rows; one where it is absent. */
  readonly tiles?: number | undefined;
}

/** Milliseconds spent so far; measuring and encoding add to them. */
export interface PictureClock {
  imageMs: number;
  visionMs: number;
}

export interface PictureEncoder {
  /** Yields after each tile; returns the features [1, rows, hidden], which the caller disposes. */
  encode(picture: Picture, clock: PictureClock): AsyncGenerator<void, EncodedImage>;
  /** Of the quickest square so far. A GPU that has encoded none counts as quick, a CPU as slow. */
  squareMs(): number;
}

/** `newlines`: the model takes tiles, so that a single square ends with a newline, too. Longer than most functions: one way of encoding after the other. */
export function createPictureEncoder(
  model: Model,
  newlines: boolean,
  decode: (blob: Blob, clock: PictureClock) => Promise<Pixels>,
): PictureEncoder {
  const { config, runtime } = model;
  let squareMs = runtime.device === "webgpu" && !runtime.software ? 0 : Infinity;
  let timed = false;

  async function square(picture: Picture, mode: Exclude<ImageMode, "auto">, clock: PictureClock) {
    const pixels = await decode(picture.blob, clock);
    const started = performance.now();
    const input = preprocess(pixels, mode, config.preprocess);
    const visionStarted = performance.now();
    clock.imageMs += visionStarted - started;
    const encoded = newlines ? await squareAndNewline(input) : await model.encodeImage(input);
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

  const checkRows = (elements: number, rows: number): void => {
    if (elements === rows * config.hiddenSize) return;
    throw new EngineError("bad-package", `the vision graph yields ${elements / config.hiddenSize} rows, not ${rows}`);
  };

  return {
    async *encode(picture, clock) {
      const { shape } = picture;
      let encoded: EncodedImage;
      if (typeof shape === "string") encoded = await square(picture, shape, clock);
      else encoded = yield* "spelling" in shape ? inSquares(picture, shape, clock) : tiled(picture, shape, clock);
      try {
        checkRows(elementCount(encoded.features.dims), picture.rows);
      } catch (error) {
        encoded.features.dispose();
        throw error;
      }
      return encoded;
    },
    squareMs: () => squareMs,
  };
}
