// One conversation turn: messages in, events out. Pictures → features → prompt slots → prefill of what the cache lacks → decode loop.
// Knows the model's three computations, no runtime and no files.
import { createDraftBudget, createDrafter } from "#engine/text/drafts.ts";
import { EngineError } from "./errors.ts";
import { createImageFeatures, type FeatureStore } from "#engine/model/image-features.ts";
import { commonPrefix, type KvCache } from "#engine/decoder/kv-cache.ts";
import type { Model } from "#engine/model/model.ts";
import type { PictureTiles } from "./package.ts";
import { createPictures, type Picture } from "./pictures.ts";
import { placePictures, prefill, type PlacedImage } from "./prefill.ts";
import { renderPrompt, type Prompt } from "#engine/text/prompt.ts";
import { createSampler, topOf } from "#engine/text/sampler.ts";
import { createTextStream } from "#engine/text/text-stream.ts";
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
  /** Pictures whose features are held beyond a request; all by default. */
  readonly featurePictures?: number | undefined;
  /** Asked before the vision encoder; given what was encoded after an answer, never between its tokens. */
  readonly keptFeatures?: FeatureStore | undefined;
  /** Whether to guess tokens and check several at once where that pays (default true), or even where not. Answers are the same. */
  readonly drafts?: boolean | "always" | undefined;
}

export interface Generator {
  /** Stops what is prepared, and goes on from there. */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent>;
  /**
   * Computes what an answer to this would begin with, as far as it gets: a later request keeps what it shares with it. Does nothing while an
   * answer is under way; resolves when it is done or stopped, rejects as `generate` would.
   */
  prepare(request: GenerateRequest, signal?: AbortSignal): Promise<void>;
  /** Stops what is prepared; resolves when nothing runs for it any more. */
  rest(): Promise<void>;
  /** Forgets the conversation in the cache and all pictures. */
  dispose(): void;
}

/** Rows per run of what nobody waits for yet: Send should not wait long for the one that is under way. */
const preparedChunk = 64;

/** A generator with an empty cache; one generation at a time. */
export function createGenerator(options: GeneratorOptions): Generator {
  const { model, contextLength } = options;
  const { config, tokenizer, runtime } = model;
  const features = createImageFeatures(options.featureBytes, options.featurePictures);
  const budget = createDraftBudget();
  /** Keys of what was encoded and is not kept yet. */
  const unkept = new Set<string>();
  const pictures = createPictures({ ...options, tiles: options.tiles });
  const numbers = new Map<string, number>(); // picture key → its negative slot number
  const makeCache = (): KvCache => model.decoder.createCache(contextLength);
  let cache = makeCache();

  const numberOf = (key: string): number => {
    const known = numbers.get(key) ?? -1 - numbers.size;
    numbers.set(key, known);
    return known;
  };

  let encoded: { readonly text: string; readonly ids: readonly number[] } | undefined;

  interface Layout {
    readonly prompt: Prompt;
    readonly slots: readonly number[];
    readonly placed: readonly PlacedImage[];
    readonly shown: readonly Picture[];
    /** Slots that the cache holds already. */
    readonly held: number;
  }

  async function layOut(request: GenerateRequest, clock: Clock): Promise<Layout> {
    const prompt = renderPrompt(request.messages, {
      template: options.template,
      chatTemplate: config.chatTemplate,
      bosToken: config.bosToken,
      eosToken: config.eosToken,
      imageMarks: config.imageMarks,
      defuse: (text) => tokenizer.defuse(text),
    });
    const shown = await pictures.measure(prompt.images, request.imageMode ?? "auto", clock);
    // What was prepared, and an answer given anew, are the same text.
    if (prompt.text !== encoded?.text) encoded = { text: prompt.text, ids: tokenizer.encode(prompt.text) };
    const { slots, placed } = placePictures(encoded.ids, config.imageTokenId, shown, numberOf);
    if (slots.length >= contextLength) {
      throw new EngineError("context-full", `the prompt has ${slots.length} of ${contextLength} tokens`);
    }
    // The last slot is always run again: its logits are what the answer starts from.
    const held = Math.min(commonPrefix(cache.slots, slots), slots.length - 1);

    return { prompt, slots, placed, shown, held };
  }

  /** What the cache lacks of the prompt: features of its pictures, then its rows. Ends with the last logits; with none when it was aborted. */
  async function* fill(
    { slots, placed, held }: Pick<Layout, "slots" | "placed" | "held">,
    clock: Clock,
    chunk: number,
    aborted: () => boolean,
    top?: number,
  ): AsyncGenerator<GenerateEvent, Float32Array | undefined> {
    const needed = placed.filter(({ picture, start }) => start + picture.rows > held);
    for (const [i, { picture }] of needed.entries()) {
      yield stage("image", i, needed.length);
      if (aborted()) return undefined;
      if (features.get(picture.key)) continue;
      const kept = await options.keptFeatures?.get(picture.key).catch(() => undefined);
      if (kept?.length === picture.rows * config.hiddenSize) {
        features.put(picture.key, runtime.upload(kept, [1, picture.rows, config.hiddenSize]));
        continue;
      }
      const encoding = pictures.encode(picture, clock);
      for (;;) {
        yield stage("vision", i, needed.length);
        if (aborted()) return undefined;
        const tile = await encoding.next();
        if (tile.done === true) {
          features.put(picture.key, tile.value);
          unkept.add(picture.key);
          break;
        }
      }
    }
    if (needed.length > 0) yield stage("vision", needed.length, needed.length);

    cache.truncate(held);
    const started = performance.now();
    let logits: Float32Array | undefined;
    for (let from = held; from < slots.length;) {
      yield stage("prefill", from - held, slots.length - held);
      if (aborted()) return undefined;
      const to = Math.min(from + chunk, slots.length);
      logits = await prefill(model, cache, features, slots, placed, from, to, top);
      from = to;
    }
    clock.prefillMs = performance.now() - started;
    // Each event waits for the page; a single run's end is told by the first word.
    if (slots.length - held > chunk) yield stage("prefill", slots.length - held, slots.length - held);
    return logits;
  }

  async function* run(request: GenerateRequest, signal: AbortSignal | undefined): AsyncGenerator<GenerateEvent> {
    const started = performance.now();
    const clock = newClock();
    const { prompt, slots, placed, shown, held } = await layOut(request, clock);

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

    const top = topOf(request.sampling);
    const logits = yield* fill({ slots, placed, held }, clock, options.prefillChunk, aborted, top);
    if (logits === undefined) {
      yield done("abort");
      return;
    }

    const room = contextLength - slots.length;
    const limit = Math.min(request.maxNewTokens, room);
    const sampler = createSampler(request.sampling);
    const stream = createTextStream(tokenizer, [...request.stop, ...prompt.stop], prompt.trimStart);
    // A separator that is one token never shows up in the text.
    const ends = new Set([...config.eosIds, ...prompt.stop.flatMap((text) => tokenizer.idOf(text) ?? [])]);
    const seen = new Set(slots);
    const drafter = options.drafts === false ? undefined : createDrafter(slots);
    let rows = [logits];
    let draft: number[] = []; // in the cache already, and `rows` are what follows each; true only as far as the sampler says the same
    let drafted = 0;
    let stepMs = 0;
    const decodeStarted = performance.now();
    let reason: FinishReason | undefined;
    while (reason === undefined) {
      if (aborted()) reason = "abort";
      else if (newTokens >= limit) reason = room < request.maxNewTokens ? "context" : "length";
      else {
        const token = sampler.next(rows.shift() ?? new Float32Array(0), seen);
        newTokens++;
        if (newTokens === 1) clock.firstTokenMs = performance.now() - started;
        if (ends.has(token)) {
          reason = "eos";
        } else {
          seen.add(token);
          drafter?.push(token);
          const { text, stopped } = stream.push(token);
          // One event per token at least: the host hears Stop while it hands an event over.
          yield text === "" ? stage("decode", newTokens, limit) : { type: "text", text };
          if (stopped) reason = "stop";
          else if (newTokens < limit && !aborted()) {
            if (token === draft[0]) {
              draft.shift();
            } else {
              if (drafted > 0) {
                drafter?.tell(drafted - draft.length, drafted);
                budget.drafted(drafted - draft.length, drafted, stepMs);
              }
              const stepStarted = performance.now();
              cache.truncate(slots.length + newTokens - 1);
              const allowed = options.drafts === "always" || budget.allows;
              draft = allowed ? (drafter?.draft(limit - newTokens - 1, budget.rowCost) ?? []) : [];
              drafted = draft.length;
              rows = await step(model, cache, [token, ...draft], top);
              stepMs = performance.now() - stepStarted;
              if (drafted === 0) budget.plain(stepMs);
            }
          }
        }
      }
    }
    clock.decodeMs = performance.now() - decodeStarted;
    const rest = reason === "stop" ? "" : stream.end();
    if (rest !== "") yield { type: "text", text: rest };
    yield done(reason);
  }

  /** Hands what was encoded to the store, which nobody waits for. */
  async function keep(store: FeatureStore): Promise<void> {
    try {
      for (const key of unkept) {
        const tensor = features.get(key);
        if (tensor) store.put(key, Float32Array.from(await runtime.read(tensor))).catch(() => undefined);
      }
    } catch {
      // The answer is there; a device that is gone is told of by the next one.
    }
    unkept.clear();
  }

  /** Whatever happened, nobody is left with a cache that nobody knows. */
  async function* orderly<T>(work: () => AsyncGenerator<T>, hasTime: () => boolean): AsyncGenerator<T> {
    try {
      yield* work();
      if (options.keptFeatures && hasTime()) await keep(options.keptFeatures);
    } catch (error) {
      // After a failure nobody knows what the cache's tensors hold.
      cache.dispose();
      cache = makeCache();
      throw error;
    } finally {
      features.trim();
      pictures.release();
    }
  }

  async function* ahead(request: GenerateRequest, stopped: () => boolean): AsyncGenerator<GenerateEvent> {
    const clock = newClock();
    const layout = await layOut(request, clock);
    if (!stopped()) yield* fill(layout, clock, Math.min(options.prefillChunk, preparedChunk), stopped);
  }

  let busy = false;
  let preparing: { readonly stop: () => void; readonly done: Promise<void> } | undefined;
  const rest = async (): Promise<void> => {
    while (preparing) {
      preparing.stop();
      await preparing.done;
    }
  };
  return {
    async *generate(request, signal) {
      if (busy) throw new EngineError("busy", "a generation is running");
      checkRequest(request);
      busy = true;
      try {
        await rest();
        yield* orderly(
          () => run(request, signal),
          () => true,
        );
      } finally {
        busy = false;
      }
    },
    async prepare(request, signal) {
      // Not by rest(): of two that wait for the same one, the second must see the first.
      while (preparing) {
        preparing.stop();
        await preparing.done;
      }
      if (busy || signal?.aborted === true) return;
      let stopped = false;
      const isStopped = (): boolean => stopped || signal?.aborted === true;
      const steps = orderly(
        () => ahead(request, isStopped),
        () => !isStopped(),
      );
      const work = async (): Promise<void> => {
        while ((await steps.next()).done !== true) await turn();
      };
      const running = work();
      const mine = {
        stop: () => {
          stopped = true;
        },
        done: running
          .catch(() => undefined)
          .then(() => {
            if (preparing === mine) preparing = undefined;
          }),
      };
      preparing = mine;
      await running;
    },
    rest,
    dispose() {
      cache.dispose();
      features.dispose();
    },
  };
}

interface Clock {
  imageMs: number;
  visionMs: number;
  prefillMs: number;
  decodeMs: number;
  firstTokenMs: number;
}

function newClock(): Clock {
  return { imageMs: 0, visionMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0 };
}

/** Lets messages in, such as one that says stop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function stage(name: Stage, done: number, total: number): GenerateEvent {
  return { type: "stage", stage: name, done, total };
}

/** The logits after each of the tokens. */
async function step(
  model: Model,
  cache: KvCache,
  tokens: readonly number[],
  top: number | undefined,
): Promise<Float32Array[]> {
  const embeds = await model.embed(tokens);
  try {
    return await model.decoder.run(embeds, tokens, cache, tokens.length, top);
  } finally {
    embeds.dispose();
  }
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
