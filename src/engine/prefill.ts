// Fills the KV cache with a prompt, in chunks that can be stopped. Knows no conversation and no sampling.
import { decodeLast } from "#engine/decoder/decoder.ts";
import { EngineError } from "./errors.ts";
import type { KvCache } from "#engine/decoder/kv-cache.ts";
import type { Model, RowRun } from "#engine/model/model.ts";
import type { PlacedImage } from "./layout.ts";
import type { PictureFeatures } from "./picture-features.ts";
import type { RuntimeTensor } from "#engine/runtime/runtime.ts";
import type { GenerateEvent } from "./types.ts";

/** A laid-out prompt, and the cache that its rows go to. */
export interface PromptRows {
  readonly model: Model;
  readonly cache: KvCache;
  /** Has the features of all pictures whose rows are run. */
  readonly features: Pick<PictureFeatures, "get">;
  readonly slots: readonly number[];
  readonly placed: readonly PlacedImage[];
  /** As many of the largest logits as anyone looks at; absent, all. */
  readonly top?: number | undefined;
}

export interface PrefillOptions extends PromptRows {
  /** Leading slots that the cache keeps; fewer than all. */
  readonly held: number;
  /** Rows per run of the decoder. */
  readonly chunk: number;
  readonly isAborted: () => boolean;
  /** Told the milliseconds when all rows are there. */
  readonly clock: { prefillMs: number };
}

/** Fills the cache with the rows after `held`. Yields before each chunk; ends with the logits after the last row, undefined as soon as `isAborted`. */
export async function* prefill(options: PrefillOptions): AsyncGenerator<GenerateEvent, Float32Array | undefined> {
  const { cache, slots, held, chunk } = options;
  const missing = slots.length - held;
  const stage = (done: number): GenerateEvent => ({ type: "stage", stage: "prefill", done, total: missing });
  const started = performance.now();
  cache.truncate(held);
  let logits: Float32Array | undefined;
  for (let from = held; from < slots.length; from += chunk) {
    yield stage(from - held);
    if (options.isAborted()) return undefined;
    logits = await prefillChunk(options, from, Math.min(from + chunk, slots.length));
  }
  options.clock.prefillMs = performance.now() - started;
  // Each event waits for the page; the end of a single run shows in the first word.
  if (missing > chunk) yield stage(missing);
  return logits;
}

/** Runs the decoder over slots [from, to): embeddings of their tokens and features of their pictures, in order. Returns the last logits. */
export async function prefillChunk(prompt: PromptRows, from: number, to: number): Promise<Float32Array> {
  const { model, cache, features, slots, placed, top } = prompt;
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

/** Where the rows of slots [from, to) lie: in `text`, the embeddings of the tokens among them, or in a picture's features. */
function rowRuns(
  text: RuntimeTensor | undefined,
  features: Pick<PictureFeatures, "get">,
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
      runs.push({ tensor, start: image.first + at - image.start, rows: end - at });
    } else if (text) {
      runs.push({ tensor: text, start: textRow, rows: end - at });
      textRow += end - at;
    }
    at = end;
  }
  return runs;
}
