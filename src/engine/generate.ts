// One conversation turn: messages in, events out. The prompt is laid out as slots; pictures are encoded, rows that the KV cache lacks are
// prefilled, and the decode loop gives the answer. Knows the model's three computations, no runtime and no files.
import { createDraftBudget, createDrafter } from "#engine/text/drafts.ts";
import { decode } from "./decode.ts";
import { EngineError } from "./errors.ts";
import { createLayout, type Layout } from "./layout.ts";
import type { FeatureStore } from "#engine/model/image-features.ts";
import type { KvCache } from "#engine/decoder/kv-cache.ts";
import type { Model } from "#engine/model/model.ts";
import type { PictureSquares, PictureTiles } from "./package.ts";
import { createPictureFeatures } from "./picture-features.ts";
import { createPictures } from "./pictures.ts";
import { prefill } from "./prefill.ts";
import { createSampler, topOf } from "#engine/text/sampler.ts";
import { createTextStream } from "#engine/text/text-stream.ts";
import type {
  FinishReason,
  GenerateEvent,
  GenerateRequest,
  ImageMode,
  PictureKinds,
  Pixels,
  Timings,
} from "./types.ts";

export interface GeneratorOptions {
  readonly model: Model;
  readonly template: string;
  readonly imageAspect: Exclude<ImageMode, "auto">;
  readonly imageTokens: number;
  readonly tiles?: PictureTiles | undefined;
  readonly squares?: PictureSquares | undefined;
  readonly contextLength: number;
  /** Decodes a picture file upright; throws EngineError("bad-image"). */
  readonly decodeImage: (blob: Blob) => Promise<Pixels>;
  /** Rows per prefill run; Stop is heard in between. */
  readonly prefillChunk: number;
  /** Features of pictures that stay in memory beyond a request. */
  readonly featureBytes: number;
  /** Pictures whose features stay in memory beyond a request; all by default. */
  readonly featurePictures?: number | undefined;
  /** Asked before the vision encoder; given what was encoded after an answer, never between its tokens. */
  readonly keptFeatures?: FeatureStore | undefined;
  /** Whether to guess tokens and check several at once where that pays (default true), or even where not. Answers are the same. */
  readonly drafts?: boolean | "always" | undefined;
}

/** Does one thing at a time: callers that share a generator queue their calls. */
export interface Generator {
  /** Leaving the loop early is allowed. Throws "bad-input", "bad-image", "context-full", or what the runtime fails with. */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent>;
  /**
   * Prefills the cache with what an answer to this would begin with, until done or aborted: a later request keeps what it shares with it.
   * Resolves with the kinds of the pictures that were encoded by then; rejects as `generate` throws.
   */
  prepare(request: GenerateRequest, signal?: AbortSignal): Promise<PictureKinds>;
  /** Forgets the conversation in the cache and all pictures. */
  dispose(): void;
}

/** Rows per run while an answer is prepared: a question that is sent meanwhile waits for the end of one run. */
const preparedChunk = 64;

/** A generator with an empty cache. Longer than most functions: a closure over the cache and the features, which each of its parts uses. */
export function createGenerator(options: GeneratorOptions): Generator {
  const { model, contextLength } = options;
  const { config, tokenizer, runtime } = model;
  const pictures = createPictures(options);
  const features = createPictureFeatures({
    runtime,
    pictures,
    hiddenSize: config.hiddenSize,
    maxBytes: options.featureBytes,
    maxPictures: options.featurePictures,
    store: options.keptFeatures,
  });
  const layOut = createLayout({ ...options, pictures });
  const budget = createDraftBudget();
  let cache: KvCache = model.decoder.createCache(contextLength);

  /** Encodes the pictures and prefills the rows that the cache lacks. Ends with the last logits, with none when it was aborted. */
  async function* fillCache(
    { slots, placed, held }: Layout,
    clock: Clock,
    chunk: number,
    isAborted: () => boolean,
    top?: number,
  ): AsyncGenerator<GenerateEvent, Float32Array | undefined> {
    const needed = new Set(placed.filter(({ start, rows }) => start + rows > held).map(({ picture }) => picture));
    if (!(yield* features.bring([...needed], clock, isAborted))) return undefined;
    return yield* prefill({ model, cache, features, slots, placed, held, chunk, top, isAborted, clock });
  }

  async function* answer(request: GenerateRequest, signal: AbortSignal | undefined): AsyncGenerator<GenerateEvent> {
    const started = performance.now();
    const clock = newClock();
    const isAborted = (): boolean => signal?.aborted === true;
    const layout = await layOut(request, cache.slots, clock);
    const { prompt, slots } = layout;
    const top = topOf(request.sampling);
    const logits = yield* fillCache(layout, clock, options.prefillChunk, isAborted, top);

    let newTokens = 0;
    let reason: FinishReason = "abort";
    if (logits) {
      const room = contextLength - slots.length;
      const stream = createTextStream(tokenizer, [...request.stop, ...prompt.stop], prompt.trimStart);
      const decodeStarted = performance.now();
      ({ newTokens, reason } = yield* decode({
        model,
        cache,
        slots,
        logits,
        top,
        sampler: createSampler(request.sampling),
        stream,
        // A separator that is one token never shows up in the text.
        endIds: new Set([...config.eosIds, ...prompt.stop.flatMap((text) => tokenizer.idOf(text) ?? [])]),
        maxNewTokens: Math.min(request.maxNewTokens, room),
        reasonAtLimit: room < request.maxNewTokens ? "context" : "length",
        drafter: options.drafts === false ? undefined : createDrafter(slots),
        budget,
        alwaysDraft: options.drafts === "always",
        isAborted,
        onFirstToken: () => {
          clock.firstTokenMs = performance.now() - started;
        },
      }));
      clock.decodeMs = performance.now() - decodeStarted;
      const text = stream.end();
      if (text !== "") yield { type: "text", text };
    }
    const imageTokens = layout.shown.reduce((sum, { rows }) => sum + rows, 0);
    yield {
      type: "done",
      reason,
      usage: { promptTokens: slots.length, cachedTokens: layout.held, imageTokens, newTokens },
      timings: { ...clock, totalMs: performance.now() - started },
      pictures: kindsOf(layout),
    };
    await features.save();
  }

  async function* prefillAhead(
    request: GenerateRequest,
    isAborted: () => boolean,
  ): AsyncGenerator<GenerateEvent, PictureKinds> {
    const clock = newClock();
    const layout = await layOut(request, cache.slots, clock);
    if (isAborted()) return [];
    yield* fillCache(layout, clock, Math.min(options.prefillChunk, preparedChunk), isAborted);
    if (!isAborted()) await features.save();
    return kindsOf(layout);
  }

  const kindsOf = ({ shown }: Layout): PictureKinds => shown.map(({ key }) => features.kindOf(key));

  /** The events; however they end, the generator is ready for the next request. */
  async function* cleaningUp<T>(events: AsyncGenerator<GenerateEvent, T>): AsyncGenerator<GenerateEvent, T> {
    try {
      return yield* events;
    } catch (error) {
      // After a failure the cache's tensors may hold anything.
      cache.dispose();
      cache = model.decoder.createCache(contextLength);
      throw error;
    } finally {
      features.trim();
      pictures.release();
    }
  }

  return {
    async *generate(request, signal) {
      checkRequest(request);
      yield* cleaningUp(answer(request, signal));
    },
    async prepare(request, signal) {
      const isAborted = (): boolean => signal?.aborted === true;
      if (isAborted()) return [];
      const events = cleaningUp(prefillAhead(request, isAborted));
      for (;;) {
        const event = await events.next();
        if (event.done === true) return event.value;
        await nextTask();
      }
    },
    dispose() {
      cache.dispose();
      features.dispose();
    },
  };
}

/** Milliseconds per part of one answer; filled in as the parts end. */
type Clock = { -readonly [Part in keyof Omit<Timings, "totalMs">]: number };

function newClock(): Clock {
  return { imageMs: 0, visionMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0 };
}

/** Lets messages in, such as one that says stop. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Throws "bad-input" for what no sampler can work with. */
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
