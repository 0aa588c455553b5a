// The tokenizer of a GGUF file as the files that Hugging Face has for it. Knows llama.cpp's keys, and how it names ways to split text.
import type { JsonObject } from "#convert/checkpoint/json-file.ts";
import { startWith, tokenizerFromPieces } from "#convert/text/sentencepiece.ts";
import type { GgufMetadata } from "./gguf-metadata.ts";
import type { Gguf } from "./open-gguf.ts";
import { splittingOf } from "./text-splitting.ts";

export interface GgufTokenizer {
  /** tokenizer.json */
  readonly tokenizer: JsonObject;
  /** tokenizer_config.json */
  readonly settings: JsonObject;
  /** Ids that end an answer. */
  readonly ends: readonly number[];
}

/** llama.cpp's numbers of token types, which are SentencePiece's. */
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5 } as const;

/** Throws EngineError("bad-checkpoint") for kinds of tokenizers that are not known here. */
export function tokenizerOf({ metadata }: Gguf): GgufTokenizer {
  const texts = metadata.textsIn("tokenizer.ggml.tokens");
  if (!texts || texts.length === 0)
    throw metadata.wrong("has no tokenizer; name a folder with tokenizer.json with --tokenizer");
  const types = metadata.numbersIn("tokenizer.ggml.token_type") ?? texts.map(() => kinds.normal);
  if (types.length !== texts.length)
    throw metadata.wrong(`has ${texts.length} tokens and ${types.length} types of them: it is damaged`);
  const model = metadata.textIn("tokenizer.ggml.model");
  const textAt = (key: string): string | undefined => {
    const id = metadata.numberIn(`tokenizer.ggml.${key}_token_id`);
    return id === undefined ? undefined : texts[id];
  };
  const bos = textAt("bos");
  const tokens = { texts, types, bos };
  if (model !== "llama" && model !== "gpt2") {
    throw metadata.wrong(
      `has a tokenizer of the kind "${model ?? "none"}", which can't be read; name a folder with tokenizer.json with --tokenizer`,
    );
  }
  const tokenizer = model === "llama" ? sentencePiece(metadata, tokens) : byteLevel(metadata, tokens);
  const ends = ["eos", "eot", "eom"].flatMap((name) => metadata.numberIn(`tokenizer.ggml.${name}_token_id`) ?? []);
  const named = {
    bos_token: bos,
    eos_token: textAt("eos"),
    unk_token: textAt("unknown"),
    pad_token: textAt("padding"),
  };
  const template = metadata.textIn("tokenizer.chat_template");
  return {
    tokenizer,
    settings: {
      tokenizer_class: model === "llama" ? "LlamaTokenizerFast" : "PreTrainedTokenizerFast",
      ...Object.fromEntries(Object.entries(named).filter(([, text]) => text !== undefined)),
      ...(template === undefined ? {} : { chat_template: template }),
    },
    ends: [...new Set(ends)],
  };
}

interface Tokens {
  readonly texts: readonly string[];
  readonly types: readonly number[];
  readonly bos: string | undefined;
}

/** Llama's kind: whatever makes the token of the highest score is joined. */
function sentencePiece(metadata: GgufMetadata, { texts, types, bos }: Tokens): JsonObject {
  const scores = metadata.numbersIn("tokenizer.ggml.scores");
  if (scores?.length !== texts.length) throw metadata.wrong("has no score for every token: it is damaged");
  const pieces = texts.map((text, i) => ({ text, score: scores[i] ?? 0, kind: types[i] ?? kinds.normal }));
  return tokenizerFromPieces(pieces, metadata.flagIn("tokenizer.ggml.add_space_prefix") ?? true, {
    legacy: true,
    addBos: metadata.flagIn("tokenizer.ggml.add_bos_token") ?? true,
    bos,
    added: new Map(),
  });
}

/** GPT-2's kind: merges in their order, over bytes written as letters. */
function byteLevel(metadata: GgufMetadata, { texts, types, bos }: Tokens): JsonObject {
  const merges = metadata.textsIn("tokenizer.ggml.merges");
  if (!merges)
    throw metadata.wrong("has no merges (tokenizer.ggml.merges): it is damaged, or of before 2024; take a newer file");
  const splitting = splittingOf(metadata, texts);
  const vocab: Record<string, number> = {};
  const added: JsonObject[] = [];
  for (const [id, content] of texts.entries()) {
    const kind = types[id];
    // Rows of the embeddings that no text makes.
    if (kind === kinds.unused) continue;
    vocab[content] = id;
    if (kind === kinds.normal) continue;
    const special = kind === kinds.control || kind === kinds.unknown;
    added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special });
  }
  const addBos = metadata.flagIn("tokenizer.ggml.add_bos_token") ?? splitting.addsBos;
  const bosId = bos === undefined ? undefined : vocab[bos];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: splitting.normalizer,
    pre_tokenizer: splitting.preTokenizer,
    post_processor: addBos && bos !== undefined && bosId !== undefined ? startWith(bos, bosId) : null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: splitting.ignoresMerges,
      vocab,
      // Both halves of a merge are written in letters of bytes, where a space is a letter of its own.
      merges: merges.map((merge) => merge.split(" ")),
    },
  };
}
