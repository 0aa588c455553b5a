// For tests: a tiny random LLaVA as a package, and conversations with an engine that runs it.
import sharp from "sharp";
import { convert } from "#convert/convert.ts";
import {
  memoryCheckpoint,
  memoryPackage,
  randomNumbers,
  tiny,
  tinyConfig,
  tinyFiles,
  tinyTensors,
} from "./fixtures.ts";
import type { Manifest } from "#weights/manifest.ts";
import type { Engine } from "#engine/engine.ts";
import { loadModel } from "#engine/model/load.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { makeSelfTest } from "#engine/model/self-test.ts";
import type { GenerateEvent, GenerateRequest, Message, PackageFiles, Part, Sampling } from "#engine/types.ts";

/** Of the tiny model. */
export const contextLength = 512;

/** A byte-level tokenizer without merges: five special tokens, then one token per byte. */
export function byteTokenizer(): object {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  const specials = ["<pad>", "<s>", "</s>", "<unk>", "<image>"];
  const vocab = Object.fromEntries(specials.map((token, id) => [token, id]));
  let beyond = 256;
  for (let byte = 0; byte < 256; byte++) {
    vocab[String.fromCharCode(printable(byte) ? byte : beyond++)] = specials.length + byte;
  }
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: "1.0",
    added_tokens: specials.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    decoder: byteLevel,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    model: { type: "BPE", vocab, merges: [] },
  };
}

/** The tiny checkpoint with a vocabulary of bytes, whose head only ever favours printable ones. */
export async function tinyPackage(
  named: { readonly id?: string; readonly name?: string } = {},
): Promise<{ info: Manifest; files: PackageFiles }> {
  const { hidden } = tiny.text;
  const vocab = 288;
  const tensors = tinyTensors();
  const random = randomNumbers(3);
  const embed = Float32Array.from({ length: vocab * hidden }, () => random() - 0.5);
  const head = embed.map((_, i) => {
    const byte = Math.floor(i / hidden) - 5;
    return byte >= 33 && byte <= 126 ? 2 * (random() - 0.5) : 0;
  });
  tensors.set("language_model.model.embed_tokens.weight", { shape: [vocab, hidden], values: embed });
  tensors.set("language_model.lm_head.weight", { shape: [vocab, hidden], values: head });
  const config = tinyConfig();
  const files = tinyFiles(tensors, {
    ...config,
    text_config: { ...config.text_config, vocab_size: vocab, max_position_embeddings: contextLength },
  });
  files.set("tokenizer.json", JSON.stringify(byteTokenizer()));
  const to = memoryPackage();
  const info = await convert(memoryCheckpoint("tiny-llava", files), to, {
    ...named,
    bits: { vision: 8, embed: 8, decoder: 4 },
    async selfTest(packageInfo, packageFiles) {
      const runtime = createNodeRuntime();
      const model = await loadModel({ runtime, files: packageFiles, info: packageInfo, memoryBudget: 0 });
      const golden = await makeSelfTest(model);
      await model.dispose();
      return golden;
    },
  });
  return { info, files: to.files };
}

/** A plain picture of 40 × 24 pixels. */
export const picture = async (background: string): Promise<Part> => ({
  type: "image",
  blob: new Blob([
    new Uint8Array(
      await sharp({ create: { width: 40, height: 24, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  ]),
});
/** A user's message. */
export const user = (text: string, ...pictures: Part[]): Message => ({
  role: "user",
  parts: [...pictures, { type: "text", text }],
});
/** An answer given before. */
export const assistant = (text: string): Message => ({ role: "assistant", parts: [{ type: "text", text }] });
/** Always the likeliest token. */
export const greedy: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };
/** Greedy, 12 tokens at most. */
export const request = (messages: readonly Message[], changes: Partial<GenerateRequest> = {}): GenerateRequest => ({
  messages,
  sampling: greedy,
  maxNewTokens: 12,
  stop: [],
  ...changes,
});

/** What came of a request. */
export interface Answer {
  readonly text: string;
  readonly done: Extract<GenerateEvent, { type: "done" }>;
  readonly events: readonly GenerateEvent[];
}

/** Runs a request to its end. */
export async function answer(engine: Engine, asked: GenerateRequest, signal?: AbortSignal): Promise<Answer> {
  const events: GenerateEvent[] = [];
  for await (const event of engine.generate(asked, signal)) events.push(event);
  const done = events.at(-1);
  if (done?.type !== "done") throw new Error("the last event is not done");
  return { text: events.map((event) => (event.type === "text" ? event.text : "")).join(""), done, events };
}
