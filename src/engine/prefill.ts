// A prompt's slots: tokens, and a picture's number for each of its rows; and running the decoder over a part of them.
// Knows no conversation and no clock.
import { EngineError } from "./errors.ts";
import { decodeLast } from "#engine/decoder/decoder.ts";
import type { ImageFeatures } from "#engine/model/image-features.ts";
import type { KvCache } from "#engine/decoder/kv-cache.ts";
import type { Model, RowRun } from "#engine/model/model.ts";
import type { Picture } from "./pictures.ts";
import type { RuntimeTensor } from "#engine/runtime/runtime.ts";

/** A picture of the prompt and where its rows begin among the slots. */
export interface PlacedImage {
  readonly picture: Picture;
  readonly start: number;
}

/** Token ids with each image token widened to its picture's rows, which all get the picture's number. */
export function placePictures(
  ids: readonly number[],
  imageTokenId: number,
  pictures: readonly Picture[],
  numberOf: (key: string) => number,
): { readonly slots: number[]; readonly placed: PlacedImage[] } {
  const slots: number[] = [];
  const placed: PlacedImage[] = [];
  for (const id of ids) {
    if (id !== imageTokenId) {
      slots.push(id);
      continue;
    }
    const picture = pictures[placed.length];
    if (!picture) throw new EngineError("bad-input", "the prompt has more image slots than pictures");
    placed.push({ picture, start: slots.length });
    for (let i = 0; i < picture.rows; i++) slots.push(numberOf(picture.key));
  }
  if (placed.length !== pictures.length) {
    throw new EngineError("bad-package", "the conversation template drops pictures");
  }
  return { slots, placed };
}

/** Runs the decoder over slots [from, to): embeddings of their tokens and features of their pictures, in order. Returns the last logits. */
export async function prefill(
  model: Model,
  cache: KvCache,
  features: ImageFeatures,
  slots: readonly number[],
  placed: readonly PlacedImage[],
  from: number,
  to: number,
  top?: number,
): Promise<Float32Array> {
  const chunk = slots.slice(from, to);
  const ids = chunk.filter((slot) => slot >= 0);
  const text = ids.length > 0 ? await model.embed(ids) : undefined;
  let embeds: RuntimeTensor | undefined;
  try {
    embeds = ids.length === chunk.length ? text : model.concat(rowRuns(text, features, slots, placed, from, to));
    if (!embeds) throw new EngineError("internal", "an empty prefill chunk");
    return await decodeLast(model.decoder, embeds, chunk, cache, top);
  } finally {
    if (embeds !== text) embeds?.dispose();
    text?.dispose();
  }
}

function rowRuns(
  text: RuntimeTensor | undefined,
  features: ImageFeatures,
  slots: readonly number[],
  placed: readonly PlacedImage[],
  from: number,
  to: number,
): RowRun[] {
  const runs: RowRun[] = [];
  let textRow = 0;
  for (let at = from; at < to;) {
    const image = placed.findLast(({ start }) => start <= at);
    const inImage = (slots[at] ?? 0) < 0;
    let end = at + 1;
    while (end < to && (slots[end] ?? 0) < 0 === inImage && !placed.some(({ start }) => start === end)) end++;
    if (inImage) {
      const tensor = image && features.get(image.picture.key);
      if (!tensor) throw new EngineError("internal", "a picture's features are missing");
      runs.push({ tensor, start: at - image.start, rows: end - at });
    } else if (text) {
      runs.push({ tensor: text, start: textRow, rows: end - at });
      textRow += end - at;
    }
    at = end;
  }
  return runs;
}
