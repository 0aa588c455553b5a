// One conversation turn: messages in, events out. Pictures → features → prompt slots → prefill of what the cache lacks → decode loop.
// Knows the model's three computations, no runtime and no files.
import { EngineError } from "./errors.ts";
import { createImageFeatures, type ImageFeatures } from "./image-features.ts";
import { commonPrefix, createKvCache, type KvCache } from "./kv-cache.ts";
import type { Model, RowRun } from "./model.ts";
import type { PictureTiles } from "./package.ts";
import { createPictures, type Picture } from "./pictures.ts";
import { renderPrompt } from "./prompt.ts";
import type { RuntimeTensor } from "./runtime.ts";
import { createSampler } from "./sampler.ts";
import { createTextStream } from "./text-stream.ts";
import type { FinishReason, GenerateEvent, GenerateRequest, ImageMode, Pixels, Stage } from "./types.ts";

export interface GeneratorOptions {
  readonly model: Model;
  readonly template: string;
  readonly imageAspect: Exclude<ImageMode, "auto">;
  readonly imageTokens: number;
  readonly tiles?: PictureTiles | undefined;
  readonly contextLength: number;
  /** Decodes a picture file upright; throws EngineError("bad-image"). */
  readonly decodeImage: (blob: Blob) => Promise<Pixels>;
  /** Rows per prefill run; Stop is heard in between. */
  readonly prefillChunk: number;
  readonly featureBytes: number;
}

export interface Generator {
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent>;
  /** Forgets the conversation in the cache and all pictures. */
  dispose(): void;
}

/** A picture of the prompt and where its rows begin among the slots. */
export interface PlacedImage {
  readonly picture: Picture;
  readonly start: number;
}

/** A generator with an empty cache; one generation at a time. */
export function createGenerator(options: GeneratorOptions): Generator {
  const { model, contextLength } = options;
  const { config, tokenizer, runtime } = model;
  const features = createImageFeatures(options.featureBytes);
  const pictures = createPictures({ ...options, tiles: options.tiles });
  const numbers = new Map<string, number>(); // picture key → its negative slot number
  const makeCache = (): KvCache =>
    createKvCache(runtime, {
      layers: config.layers,
      kvHeads: config.kvHeads,
      headSize: config.headSize,
      contextLength,
      shared: model.sharesCache,
    });
  let cache = makeCache();

  const numberOf = (key: string): number => {
    const known = numbers.get(key) ?? -1 - numbers.size;
    numbers.set(key, known);
    return known;
  };

  async function* run(request: GenerateRequest, signal: AbortSignal | undefined): AsyncGenerator<GenerateEvent> {
    const started = performance.now();
    const clock: Clock = { imageMs: 0, visionMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0 };
    const prompt = renderPrompt(request.messages, {
      template: options.template,
      chatTemplate: config.chatTemplate,
      bosToken: config.bosToken,
      eosToken: config.eosToken,
      imageMarks: config.imageMarks,
      defuse: (text) => tokenizer.defuse(text),
    });
    const shown = await pictures.measure(prompt.images, request.imageMode ?? "auto", clock);
    const ids = tokenizer.encode(prompt.text);
    const { slots, placed } = placePictures(ids, config.imageTokenId, shown, numberOf);
    if (slots.length >= contextLength) {
      throw new EngineError("context-full", `the prompt has ${slots.length} of ${contextLength} tokens`);
    }
    // The last slot is always run again: its logits are what the answer starts from.
    const held = Math.min(commonPrefix(cache.slots, slots), slots.length - 1);

    let newTokens = 0;
    const done = (reason: FinishReason): GenerateEvent => ({
      type: "done",
      reason,
      usage: {
        promptTokens: slots.length,
        cachedTokens: held,
        imageTokens: shown.reduce((sum, { rows }) => sum + rows, 0),
        newTokens,
      },
      timings: { ...clock, totalMs: performance.now() - started },
    });
    const aborted = (): boolean => signal?.aborted === true;

    const needed = placed.filter(({ picture, start }) => start + picture.rows > held);
    for (const [i, { picture }] of needed.entries()) {
      yield stage("image", i, needed.length);
      if (aborted()) {
        yield done("abort");
        return;
      }
      if (features.get(picture.key)) continue;
      const encoding = pictures.encode(picture, clock);
      for (;;) {
        yield stage("vision", i, needed.length);
        if (aborted()) {
          yield done("abort");
          return;
        }
        const tile = await encoding.next();
        if (tile.done === true) {
          features.put(picture.key, tile.value);
          break;
        }
      }
    }
    if (needed.length > 0) yield stage("vision", needed.length, needed.length);

    cache.truncate(held);
    const prefillStarted = performance.now();
    let logits: Float32Array = new Float32Array(0);
    for (let from = held; from < slots.length;) {
      yield stage("prefill", from - held, slots.length - held);
      if (aborted()) {
        yield done("abort");
        return;
      }
      const to = Math.min(from + options.prefillChunk, slots.length);
      logits = await prefill(model, cache, features, slots, placed, from, to);
      from = to;
    }
    clock.prefillMs = performance.now() - prefillStarted;
    yield stage("prefill", slots.length - held, slots.length - held);

    const room = contextLength - slots.length;
    const limit = Math.min(request.maxNewTokens, room);
    const sampler = createSampler(request.sampling);
    const stream = createTextStream(tokenizer, [...request.stop, ...prompt.stop], prompt.trimStart);
    // A separator that is one token never shows up in the text.
    const ends = new Set([...config.eosIds, ...prompt.stop.flatMap((text) => tokenizer.idOf(text) ?? [])]);
    const seen = new Set(slots);
    const decodeStarted = performance.now();
    let reason: FinishReason | undefined;
    while (reason === undefined) {
      if (aborted()) reason = "abort";
      else if (newTokens >= limit) reason = room < request.maxNewTokens ? "context" : "length";
      else {
        const token = sampler.next(logits, seen);
        newTokens++;
        if (newTokens === 1) clock.firstTokenMs = performance.now() - started;
        if (ends.has(token)) {
          reason = "eos";
        } else {
          seen.add(token);
          const { text, stopped } = stream.push(token);
          // One event per token at least: the host hears Stop while it hands an event over.
          yield text === "" ? stage("decode", newTokens, limit) : { type: "text", text };
          if (stopped) reason = "stop";
          else if (newTokens < limit && !aborted()) logits = await step(model, cache, token);
        }
      }
    }
    clock.decodeMs = performance.now() - decodeStarted;
    const rest = reason === "stop" ? "" : stream.end();
    if (rest !== "") yield { type: "text", text: rest };
    yield done(reason);
  }

  let busy = false;
  return {
    async *generate(request, signal) {
      if (busy) throw new EngineError("busy", "a generation is running");
      checkRequest(request);
      busy = true;
      try {
        yield* run(request, signal);
      } catch (error) {
        // After a failure nobody knows what the cache's tensors hold.
        cache.dispose();
        cache = makeCache();
        throw error;
      } finally {
        features.trim();
        pictures.release();
        busy = false;
      }
    },
    dispose() {
      cache.dispose();
      features.dispose();
    },
  };
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

interface Clock {
  imageMs: number;
  visionMs: number;
  prefillMs: number;
  decodeMs: number;
  firstTokenMs: number;
}

function stage(name: Stage, done: number, total: number): GenerateEvent {
  return { type: "stage", stage: name, done, total };
}

async function step(model: Model, cache: KvCache, token: number): Promise<Float32Array> {
  const embeds = await model.embed([token]);
  try {
    return await model.decode(embeds, [token], cache);
  } finally {
    embeds.dispose();
  }
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
): Promise<Float32Array> {
  const chunk = slots.slice(from, to);
  const ids = chunk.filter((slot) => slot >= 0);
  const text = ids.length > 0 ? await model.embed(ids) : undefined;
  let embeds: RuntimeTensor | undefined;
  try {
    embeds = ids.length === chunk.length ? text : model.concat(rowRuns(text, features, slots, placed, from, to));
    if (!embeds) throw new EngineError("internal", "an empty prefill chunk");
    return await model.decode(embeds, chunk, cache);
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

function checkRequest({ sampling, maxNewTokens }: GenerateRequest): void {
  const bad = (what: string): never => {
    throw new EngineError("bad-input", what);
  };
  if (!(sampling.temperature >= 0)) bad("temperature must be 0 or more");
  if (!Number.isInteger(sampling.topK) || sampling.topK < 0) bad("top-k must be a whole number, 0 or more");
  if (!(sampling.topP > 0 && sampling.topP <= 1)) bad("top-p must be above 0 and at most 1");
  if (!(sampling.minP >= 0 && sampling.minP <= 1)) bad("min-p must be between 0 and 1");
  if (!(sampling.repetitionPenalty > 0)) bad("repetition penalty must be above 0");
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 1) bad("at least one new token must be allowed");
}
