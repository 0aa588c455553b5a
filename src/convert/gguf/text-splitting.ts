// How a byte-level tokenizer cuts text before it merges, by llama.cpp's names for the ways (tokenizer.ggml.pre).
import type { JsonObject } from "#convert/checkpoint/json-file.ts";
import type { GgufMetadata } from "./gguf-metadata.ts";

export interface Splitting {
  readonly normalizer: JsonObject | null;
  readonly preTokenizer: JsonObject;
  /** Whether a word that is a token as a whole is that token, whatever its merges say. */
  readonly ignoresMerges: boolean;
  /** Where the file does not say it. */
  readonly addsBos: boolean;
}

const byteLevel = (useRegex: boolean): JsonObject => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});

const byPattern = (pattern: string): JsonObject => ({
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
    byteLevel(false),
  ],
});

const tiktoken = (numbers: string): string =>
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${numbers}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const gpt2: Splitting = { normalizer: null, preTokenizer: byteLevel(true), ignoresMerges: false, addsBos: false };
const digits: Splitting = {
  ...gpt2,
  preTokenizer: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel(true)] },
};
const llama3: Splitting = {
  ...gpt2,
  preTokenizer: byPattern(tiktoken(String.raw`\p{N}{1,3}`)),
  ignoresMerges: true,
  addsBos: true,
};
const qwen2: Splitting = { ...gpt2, normalizer: { type: "NFC" }, preTokenizer: byPattern(tiktoken(String.raw`\p{N}`)) };

const ways: Readonly<Record<string, Splitting>> = {
  "gpt-2": gpt2,
  gpt2,
  "phi-2": gpt2,
  olmo: gpt2,
  smollm: digits,
  starcoder: digits,
  refact: digits,
  codeshell: digits,
  "llama-bpe": llama3,
  "llama-v3": llama3,
  llama3,
  qwen2,
};

/** Throws EngineError("bad-checkpoint") for ways that are not known here. */
export function splittingOf(metadata: GgufMetadata, tokens: readonly string[]): Splitting {
  const stated = metadata.textIn("tokenizer.ggml.pre");
  if (stated === undefined || stated === "default") return guessed(metadata, tokens);
  const found = ways[stated];
  if (found) return found;
  throw metadata.wrong(
    `has a tokenizer that cuts text in the way "${stated}", which is not known here; name a folder with tokenizer.json with --tokenizer`,
  );
}

/** Files of before May 2024 do not say how text is cut. */
function guessed(metadata: GgufMetadata, tokens: readonly string[]): Splitting {
  if (metadata.textIn("general.architecture")?.startsWith("qwen") === true) return qwen2;
  return tokens.includes("<|begin_of_text|>") ? llama3 : gpt2;
}
