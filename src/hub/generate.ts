// One answer of a hub model as the engine's events. The library has no top-p, min-p or seed of its own, and a prompt of its own length
// for one picture: choosing tokens and cutting text are done by the engine's sampler and text stream.
import {
  InterruptableStoppingCriteria,
  LogitsProcessor,
  LogitsProcessorList,
  RawImage,
  TextStreamer,
  type Tensor,
} from "@huggingface/transformers";
import { EngineError } from "#engine/errors.ts";
import { createSampler, type Sampler } from "#engine/text/sampler.ts";
import { createTextStream } from "#engine/text/text-stream.ts";
import type { FinishReason, GenerateEvent, GenerateRequest, Pixels, Sampling } from "#engine/types.ts";
import { asTensor, countImageTokens, processInputs, renderTemplate, type ModelInputs } from "./inputs.ts";
import type { HubModel } from "./model.ts";
import { templateChat } from "./prompt.ts";

export interface HubGenerateOptions {
  readonly decodeImage: (blob: Blob) => Promise<Pixels>;
  /** Features of the last pictures, by the hash of all pictures of a prompt; kept across answers. */
  readonly features: Map<string, Tensor>;
  readonly onEvent: (event: GenerateEvent) => Promise<void> | void;
}

/** How many sets of pictures have their features kept. */
const rememberedFeatures = 4;

/** Calls back with every event in order, `done` last, also after an abort; resolves after the last one was taken. */
export async function generateWithHub(
  hub: HubModel,
  request: GenerateRequest,
  signal: AbortSignal,
  options: HubGenerateOptions,
): Promise<void> {
  const events = inOrder(options.onEvent);
  const answer = new Answer(hub, request, signal, options.features, events.tell);
  let reason: FinishReason;
  try {
    reason = await answer.run(options.decodeImage);
  } catch (error) {
    if (!signal.aborted) throw error;
    reason = "abort";
  }
  events.tell(answer.done(reason));
  await events.taken();
}

/** Events that are told while the library computes, handed on one after the other. */
function inOrder(onEvent: HubGenerateOptions["onEvent"]) {
  let last = Promise.resolve();
  let failure: unknown;
  return {
    tell: (event: GenerateEvent): void => {
      last = last.then(async () => await onEvent(event)).catch((error: unknown) => void (failure ??= error));
    },
    /** Resolves when all have been taken; rejects when one was not. */
    async taken(): Promise<void> {
      await last;
      if (failure === undefined) return;
      throw failure instanceof Error ? failure : new EngineError("internal", "an event was not taken");
    },
  };
}

/** One answer under way: its figures, and the library's calls in their order. */
class Answer {
  readonly #hub: HubModel;
  readonly #request: GenerateRequest;
  readonly #signal: AbortSignal;
  readonly #features: Map<string, Tensor>;
  readonly #tell: (event: GenerateEvent) => void;
  readonly #began = performance.now();
  #imageMs = 0;
  #visionMs = 0;
  /** When the first token came; 0 before. */
  #firstTokenAt = 0;
  #promptTokens = 0;
  #imageTokens = 0;
  #newTokens = 0;

  constructor(
    hub: HubModel,
    request: GenerateRequest,
    signal: AbortSignal,
    features: Map<string, Tensor>,
    tell: (event: GenerateEvent) => void,
  ) {
    this.#hub = hub;
    this.#request = request;
    this.#signal = signal;
    this.#features = features;
    this.#tell = tell;
  }

  /** Resolves with why it ended; rejects where a stage was left because of an abort. */
  async run(decodeImage: HubGenerateOptions["decodeImage"]): Promise<FinishReason> {
    const { model, style, imageToken } = this.#hub;
    const chat = templateChat(this.#request.messages, style, imageToken);
    if (chat.pictures.length > 0) this.#stage("image");
    const images = await Promise.all(chat.pictures.map(async (blob) => toRawImage(await decodeImage(blob))));
    const hash = chat.pictures.length > 0 ? await hashOf(chat.pictures) : "";
    this.#signal.throwIfAborted();

    const encode = model.encode_image.bind(model);
    const forward = model.forward.bind(model);
    model.encode_image = (inputs: unknown) => this.#encodeImage(hash, () => encode(inputs));
    model.forward = async (inputs: Record<string, unknown>): Promise<unknown> => {
      // On the processor nothing else gets a turn between two tokens, and a Stop would not be heard.
      await nextTask();
      return forward(inputs);
    };
    try {
      const inputs = await processInputs(this.#hub, renderTemplate(this.#hub, chat), images);
      this.#promptTokens = inputs.input_ids.dims.at(-1) ?? 0;
      this.#imageTokens = images.length === 0 ? 0 : countImageTokens(inputs.input_ids, this.#hub);
      this.#imageMs = performance.now() - this.#began - this.#visionMs;
      return await this.#decode(inputs, chat.answerSoFar === "");
    } finally {
      model.encode_image = encode;
      model.forward = forward;
    }
  }

  /** The last event, with the figures of what was done. */
  done(reason: FinishReason): GenerateEvent {
    const totalMs = performance.now() - this.#began;
    const firstTokenMs = this.#firstTokenAt === 0 ? totalMs : this.#firstTokenAt - this.#began;
    return {
      type: "done",
      reason,
      usage: {
        promptTokens: this.#promptTokens,
        cachedTokens: 0,
        imageTokens: this.#imageTokens,
        newTokens: this.#newTokens,
      },
      timings: {
        imageMs: this.#imageMs,
        visionMs: this.#visionMs,
        prefillMs: Math.max(0, firstTokenMs - this.#imageMs - this.#visionMs),
        decodeMs: totalMs - firstTokenMs,
        firstTokenMs,
        totalMs,
      },
    };
  }

  #stage(stage: "image" | "vision" | "prefill" | "decode"): void {
    this.#tell({ type: "stage", stage, done: 0, total: 1 });
  }

  /** The library's call, unless the features of these pictures are remembered. */
  async #encodeImage(hash: string, encode: () => Promise<unknown>): Promise<Tensor> {
    const known = this.#features.get(hash);
    if (known) return known;
    this.#signal.throwIfAborted();
    this.#stage("vision");
    const at = performance.now();
    const made = asTensor(await encode());
    this.#visionMs += performance.now() - at;
    this.#signal.throwIfAborted();
    remember(this.#features, hash, made);
    return made;
  }

  async #decode(inputs: ModelInputs, trimStart: boolean): Promise<FinishReason> {
    const { model, tokenizer, contextLength } = this.#hub;
    const { maxNewTokens, stop, sampling } = this.#request;
    const room = contextLength - this.#promptTokens;
    if (room < 1)
      throw new EngineError("context-full", `the prompt has ${this.#promptTokens} tokens of ${contextLength}`);
    this.#signal.throwIfAborted();

    this.#stage("prefill");
    const decode = (ids: readonly number[]): string =>
      tokenizer.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
    const stream = createTextStream({ decode }, stop, trimStart);
    const interruption = new InterruptableStoppingCriteria();
    const interrupt = (): void => interruption.interrupt();
    let stopped = false;
    let lastToken = -1;
    const onToken = (token: number): void => {
      this.#newTokens++;
      lastToken = token;
      if (this.#firstTokenAt === 0) {
        this.#firstTokenAt = performance.now();
        this.#stage("decode");
      }
      const pushed = stream.push(token);
      if (pushed.text !== "") this.#tell({ type: "text", text: pushed.text });
      if (!pushed.stopped) return;
      stopped = true;
      interrupt();
    };
    // Read through a function: it changes while the library works, which the compiler does not follow.
    const isStopped = (): boolean => stopped;
    const processors = new LogitsProcessorList();
    processors.push(new Chooser(sampling));
    const allowed = Math.min(maxNewTokens, room);
    this.#signal.addEventListener("abort", interrupt, { once: true });
    try {
      await model.generate({
        ...inputs,
        max_new_tokens: allowed,
        do_sample: false,
        num_beams: 1,
        logits_processor: processors,
        stopping_criteria: interruption,
        streamer: new TokenStreamer(tokenizer, onToken),
      });
    } finally {
      this.#signal.removeEventListener("abort", interrupt);
    }
    const rest = stream.end();
    if (rest !== "") this.#tell({ type: "text", text: rest });
    if (isStopped()) return "stop";
    if (endTokens(this.#hub).has(lastToken)) return "eos";
    if (this.#signal.aborted) return "abort";
    return allowed < maxNewTokens ? "context" : "length";
  }
}

function endTokens({ model }: HubModel): ReadonlySet<number> {
  const ids: unknown = model.generation_config?.eos_token_id ?? Reflect.get(model.config, "eos_token_id");
  return new Set((Array.isArray(ids) ? ids : [ids]).map(Number));
}

function toRawImage({ data, width, height }: Pixels): RawImage {
  return new RawImage(data, width, height, 4).rgb();
}

async function hashOf(pictures: readonly Blob[]): Promise<string> {
  const digests = await Promise.all(
    pictures.map(async (blob) => crypto.subtle.digest("SHA-256", await blob.arrayBuffer())),
  );
  return digests.map((digest) => new Uint8Array(digest).join()).join(";");
}

function remember(features: Map<string, Tensor>, hash: string, made: Tensor): void {
  features.set(hash, made);
  const [oldest] = features.keys();
  if (features.size > rememberedFeatures && oldest !== undefined) features.delete(oldest);
}

function nextTask(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Leaves one token possible, the one that the engine's sampler chooses, so that the library's greedy search takes it. */
class Chooser extends LogitsProcessor {
  readonly #sampler: Sampler;
  readonly #seen = new Set<number>();
  #read = 0;
  constructor(sampling: Sampling) {
    super();
    this.#sampler = createSampler(sampling);
  }
  override _call(ids: bigint[][], logits: Tensor): Tensor {
    const [all = []] = ids;
    for (; this.#read < all.length; this.#read++) this.#seen.add(Number(all[this.#read]));
    const row: unknown = logits.data;
    if (!(row instanceof Float32Array)) throw new EngineError("internal", "logits are not float32");
    const token = this.#sampler.next(row, this.#seen);
    row.fill(-Infinity);
    row[token] = 0;
    return logits;
  }
}

/** Calls back with every new token; the library's first call brings the prompt. */
class TokenStreamer extends TextStreamer {
  readonly #onToken: (token: number) => void;
  #prompt = true;
  constructor(tokenizer: HubModel["tokenizer"], onToken: (token: number) => void) {
    super(tokenizer);
    this.#onToken = onToken;
  }
  override put(value: bigint[][]): void {
    if (!this.#prompt) for (const id of value[0] ?? []) this.#onToken(Number(id));
    this.#prompt = false;
  }
  override end(): void {
    // The library's streamer would flush its own text here; ours is in the text stream.
  }
}
