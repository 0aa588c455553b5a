// One answer of a hub model as the engine's events. The library has no top-p, min-p or seed of its own, and a prompt of its own length
// for one picture: choosing tokens and cutting text are done by the engine's sampler and text stream.
import {
  InterruptableStoppingCriteria,
  LogitsProcessor,
  LogitsProcessorList,
  RawImage,
  Tensor,
  TextStreamer,
} from "@huggingface/transformers";
import { EngineError, errorCodeOf } from "#engine/errors.ts";
import { renderTemplateSource } from "#engine/text/jinja.ts";
import { createSampler, type Sampler } from "#engine/text/sampler.ts";
import { createTextStream } from "#engine/text/text-stream.ts";
import type { FinishReason, GenerateEvent, GenerateRequest, Pixels, Sampling } from "#engine/types.ts";
import type { HubModel } from "./model.ts";
import { answerMessage, expandMarks, templateChat, type TemplateChat } from "./prompt.ts";

export interface HubGenerateOptions {
  readonly decodeImage: (blob: Blob) => Promise<Pixels>;
  /** Features of pictures seen lately, by the pictures' hashes; kept across answers. */
  readonly features: Map<string, Tensor>;
  readonly onEvent: (event: GenerateEvent) => Promise<void> | void;
}

/** So many sets of pictures are remembered. */
const rememberedFeatures = 4;

/** Calls back with every event in order, `done` last, also after an abort; resolves after the last one was taken. */
export async function generateWithHub(
  hub: HubModel,
  request: GenerateRequest,
  signal: AbortSignal,
  { decodeImage, features, onEvent }: HubGenerateOptions,
): Promise<void> {
  const { model, tokenizer } = hub;
  const began = performance.now();
  const clock = { image: 0, vision: 0, first: 0 };
  let told = Promise.resolve();
  let deaf: unknown;
  const tell = (event: GenerateEvent): void => {
    told = told.then(async () => await onEvent(event)).catch((error: unknown) => void (deaf ??= error));
  };
  const stage = (name: "image" | "vision" | "prefill" | "decode"): void =>
    tell({ type: "stage", stage: name, done: 0, total: 1 });
  let newTokens = 0;
  let promptTokens = 0;
  let imageTokens = 0;
  const finish = async (reason: FinishReason): Promise<void> => {
    const totalMs = performance.now() - began;
    const firstTokenMs = clock.first === 0 ? totalMs : clock.first - began;
    tell({
      type: "done",
      reason,
      usage: { promptTokens, cachedTokens: 0, imageTokens, newTokens },
      timings: {
        imageMs: clock.image,
        visionMs: clock.vision,
        prefillMs: Math.max(0, firstTokenMs - clock.image - clock.vision),
        decodeMs: totalMs - firstTokenMs,
        firstTokenMs,
        totalMs,
      },
    });
    await told;
    if (deaf !== undefined) throw deaf instanceof Error ? deaf : new EngineError("internal", "an event was not taken");
  };

  // Read through a function: it changes while the library works, which the compiler does not follow.
  const isAborted = (): boolean => signal.aborted;
  const encode = model.encode_image.bind(model);
  const forward = model.forward.bind(model);
  try {
    const chat = templateChat(request.messages, hub.style, hub.imageToken);
    if (chat.pictures.length > 0) stage("image");
    const images = await Promise.all(chat.pictures.map(async (blob) => toRawImage(await decodeImage(blob))));
    const hash = chat.pictures.length > 0 ? await hashOf(chat.pictures) : "";
    signal.throwIfAborted();
    model.encode_image = async (inputs: unknown): Promise<Tensor> => {
      const known = features.get(hash);
      if (known) return known;
      signal.throwIfAborted();
      stage("vision");
      const at = performance.now();
      const made = asTensor(await encode(inputs));
      clock.vision += performance.now() - at;
      signal.throwIfAborted();
      remember(features, hash, made);
      return made;
    };
    model.forward = async (inputs: Record<string, unknown>): Promise<unknown> => {
      // On the processor nothing else gets a turn between two tokens, and a Stop would not be heard.
      await nextTask();
      return forward(inputs);
    };

    const inputs = await processInputs(hub, renderTemplate(hub, chat), images);
    promptTokens = inputs.input_ids.dims.at(-1) ?? 0;
    imageTokens = images.length === 0 ? 0 : countOf(inputs.input_ids, hub);
    clock.image = performance.now() - began - clock.vision;
    const room = hub.contextLength - promptTokens;
    if (room < 1)
      throw new EngineError("context-full", `the prompt has ${promptTokens} tokens of ${hub.contextLength}`);
    signal.throwIfAborted();

    stage("prefill");
    const stops = new InterruptableStoppingCriteria();
    const interrupt = (): void => stops.interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    const decode = (ids: readonly number[]): string =>
      tokenizer.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
    const stream = createTextStream({ decode }, request.stop, chat.answerSoFar === "");
    const end = { stopped: false, lastToken: -1 };
    const onToken = (token: number): void => {
      newTokens++;
      end.lastToken = token;
      if (clock.first === 0) {
        clock.first = performance.now();
        stage("decode");
      }
      const pushed = stream.push(token);
      if (pushed.text !== "") tell({ type: "text", text: pushed.text });
      if (!pushed.stopped) return;
      end.stopped = true;
      stops.interrupt();
    };
    const processors = new LogitsProcessorList();
    processors.push(new Chooser(request.sampling));
    const allowed = Math.min(request.maxNewTokens, room);
    try {
      await model.generate({
        ...inputs,
        max_new_tokens: allowed,
        do_sample: false,
        num_beams: 1,
        logits_processor: processors,
        stopping_criteria: stops,
        streamer: new TokenStreamer(tokenizer, onToken),
      });
    } finally {
      signal.removeEventListener("abort", interrupt);
    }
    const rest = stream.end();
    if (rest !== "") tell({ type: "text", text: rest });
    const ended = endTokens(hub).has(end.lastToken);
    if (end.stopped) await finish("stop");
    else if (ended) await finish("eos");
    else if (isAborted()) await finish("abort");
    else await finish(allowed < request.maxNewTokens ? "context" : "length");
  } catch (error) {
    if (!signal.aborted) throw error;
    await finish("abort");
  } finally {
    model.encode_image = encode;
    model.forward = forward;
  }
}

/** The text with the model's own marks, ready for its answer, or for the rest of it. */
function renderTemplate(hub: HubModel, { messages, answerSoFar }: TemplateChat): string {
  if (answerSoFar === "") return render(hub, messages, true);
  // What stands between question and answer is the template's to say.
  const whole = render(hub, [...messages, answerMessage(answerSoFar, hub.style)], false);
  const at = whole.lastIndexOf(answerSoFar.trim());
  if (at < 0) throw new EngineError("bad-package", "the chat template loses the answer");
  return whole.slice(0, at + answerSoFar.trim().length);
}

function render({ processor, tokenizer, template }: HubModel, messages: unknown, forAnswer: boolean): string {
  refuseEndlessTemplate(template, { messages, add_generation_prompt: forAnswer });
  const rendered: unknown = (processor.tokenizer ? processor : tokenizer).apply_chat_template(
    messages as Parameters<Processor["apply_chat_template"]>[0],
    { add_generation_prompt: forAnswer, tokenize: false, chat_template: template },
  );
  if (typeof rendered !== "string") throw new EngineError("bad-package", "the chat template gives no text");
  return rendered;
}

/** The library's own rendering has no bound. What else may be wrong with a template, it tells itself. */
function refuseEndlessTemplate(template: string, variables: Readonly<Record<string, unknown>>): void {
  try {
    renderTemplateSource(template, { bos_token: "", eos_token: "", ...variables });
  } catch (error) {
    if (errorCodeOf(error) === "bad-package") throw error;
  }
}

type Processor = HubModel["processor"];

interface ModelInputs extends Record<string, unknown> {
  readonly input_ids: Tensor;
}

async function processInputs(hub: HubModel, prompt: string, images: RawImage[]): Promise<ModelInputs> {
  const { model, processor, tokenizer, kind, imageToken } = hub;
  // Some templates write the first token themselves, others leave it to the tokenizer.
  const begun = typeof tokenizer.bos_token === "string" && prompt.startsWith(tokenizer.bos_token);
  const plain = (text: string): ModelInputs => checked(tokenizer(text, { add_special_tokens: !begun }));
  if (images.length === 0) return plain(prompt);
  if (kind === "rows") {
    if (!processor.image_processor) throw new EngineError("bad-package", "the package has no image processor");
    const seen: unknown = await processor.image_processor(images);
    const pixels = asTensor(typeof seen === "object" && seen !== null && "pixel_values" in seen && seen.pixel_values);
    const found = asTensor(await model.encode_image({ pixel_values: pixels }));
    const width = found.dims.at(-1) ?? 1;
    const rows = found.size / width / images.length;
    const expanded = expandMarks(
      prompt,
      imageToken,
      images.map(() => rows),
    );
    if (expanded === undefined) throw new EngineError("bad-package", "the chat template loses a picture");
    return { ...plain(expanded), pixel_values: pixels };
  }
  const options = { add_special_tokens: !begun };
  return checked(
    kind === "text-first" ? await processor(prompt, images, options) : await processor(images, prompt, options),
  );
}

function asTensor(value: unknown): Tensor {
  if (value instanceof Tensor) return value;
  throw new EngineError("bad-package", "the model gives no tensor where one is needed");
}

function checked(inputs: unknown): ModelInputs {
  if (typeof inputs === "object" && inputs !== null && "input_ids" in inputs && inputs.input_ids instanceof Tensor)
    return { ...inputs, input_ids: inputs.input_ids };
  throw new EngineError("bad-package", "the processor gives no tokens");
}

/** Tokens of the prompt that stand for pictures. */
function countOf(ids: Tensor, { tokenizer, imageToken }: HubModel): number {
  const [mark] = tokenizer.encode(imageToken, { add_special_tokens: false });
  let count = 0;
  for (const id of ids.data) if (Number(id) === mark) count++;
  return count;
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

/** Leaves one token possible: the one that the engine's sampler chose. */
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

/** Tells every new token; the first call brings the prompt. */
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
    // The text stream holds what is to be held back.
  }
}
