import { readFile } from "node:fs/promises";
import { Tokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import { createTokenizer } from "#engine/text/tokenizer.ts";
import { openSource } from "#convert/source/checkpoint-source.ts";
import { memoryCheckpoint, tinyFiles } from "#testing/fixtures.ts";
import { tokenizerFromSentencePiece } from "./sentencepiece.ts";

const fixture = (name: string) =>
  readFile(new URL(`../../../training/fixtures/sentencepiece/${name}`, import.meta.url));
const ids = v.array(v.number());
const Golden = v.object({
  pieces: v.number(),
  texts: v.array(v.object({ text: v.string(), ids, after: ids, decoded: v.string() })),
});
const readGolden = async (name: string) => v.parse(Golden, JSON.parse(new TextDecoder().decode(await fixture(name))));
const golden = await readGolden("golden.json");
const model = await fixture("tokenizer.model");
const settings = { legacy: false, addBos: true, added: new Map([["<im_start>", 700]]) };
const [bos, eos] = [1, 2];

test("texts have the ids that SentencePiece gives, after the beginning and after a special token", () => {
  const tokenizer = new Tokenizer(tokenizerFromSentencePiece(model, settings), {});
  for (const { text, ids: expected, after, decoded } of golden.texts) {
    // A space before the first word is swallowed by one that is put there: known of the fast tokenizer, and nothing begins so.
    if (!text.startsWith(" ")) {
      expect(tokenizer.encode(text).ids, text).toEqual([bos, ...expected]);
      if (text === "") continue;
      expect(tokenizer.decode(expected, { clean_up_tokenization_spaces: false }), text).toBe(decoded);
    }
    expect(tokenizer.encode(`USER</s>${text}`).ids.slice(-after.length - 1), text).toEqual([eos, ...after]);
  }
});

test("the tokenizer of Llama's first kind puts a space before every part, and never loses one", () => {
  const tokenizer = new Tokenizer(tokenizerFromSentencePiece(model, { ...settings, legacy: true, addBos: false }), {});
  for (const { text, ids: expected } of golden.texts) {
    expect(tokenizer.encode(text).ids, text).toEqual(expected);
    expect(tokenizer.encode(`</s>${text}`).ids, text).toEqual([eos, ...expected]);
  }
});

test("a model that puts no space before a text keeps its marks whole, as special tokens where the checkpoint says so", async () => {
  const bare = await fixture("bare.model");
  for (const legacy of [false, true]) {
    const json = tokenizerFromSentencePiece(bare, {
      ...settings,
      legacy,
      addBos: false,
      special: new Set(["<|im_end|>"]),
    });
    const tokenizer = new Tokenizer(json, {});
    for (const { text, ids: expected, decoded } of (await readGolden("bare.json")).texts) {
      expect(tokenizer.encode(text).ids, text).toEqual(expected);
      if (text !== "") expect(tokenizer.decode(expected, { clean_up_tokenization_spaces: false }), text).toBe(decoded);
    }
    const special = Object.fromEntries(
      [...tokenizer.get_added_tokens_decoder()].map(([, token]) => [token.content, token.special]),
    );
    expect(special).toMatchObject({ "<|im_start|>": false, "<|im_end|>": true, "</s>": true });
  }
});

test("tokens added later are there", () => {
  const tokenizer = new Tokenizer(tokenizerFromSentencePiece(model, settings), {});
  expect(tokenizer.token_to_id("<im_start>")).toBe(700);
  expect(tokenizer.token_to_id("<s>")).toBe(bos);
});

test("a checkpoint with tokenizer.model alone gets a tokenizer.json that knows its tokens and <image>", async () => {
  const config = {
    model_type: "llava_llama",
    vocab_size: 703,
    mm_vision_tower: "openai/clip-vit-large-patch14-336",
    mm_vision_select_layer: -2,
  };
  const files = new Map<string, Uint8Array | string>([
    ...tinyFiles(undefined, config),
    ["tokenizer.model", new Uint8Array(model)],
    ["tokenizer_config.json", JSON.stringify({ legacy: false, add_bos_token: true })],
    ["added_tokens.json", JSON.stringify({ "<im_patch>": 700, "<im_start>": 701, "<im_end>": 702 })],
  ]);
  files.delete("tokenizer.json");
  const { folder } = await openSource(memoryCheckpoint("llava", files));
  const read = async (name: string): Promise<object> => {
    const file = await folder.open(name);
    return v.parse(v.looseObject({}), JSON.parse(new TextDecoder().decode(await file?.read(0, file.bytes))));
  };
  const tokenizer = await read("tokenizer.json");
  expect(tokenizer).toMatchObject({
    added_tokens: ["<unk>", "<s>", "</s>", "<im_patch>", "<im_start>", "<im_end>", "<image>"].map((content) => ({
      content,
    })),
    pre_tokenizer: { type: "Metaspace" },
  });
  // As in the original, the text after a picture begins like any text; that after another special token does not.
  const prompts = createTokenizer(tokenizer, await read("tokenizer_config.json"), [703]);
  const question = golden.texts.find(({ text }) => text === "\nWhat is shown here?");
  expect(prompts.encode("<image>\nWhat is shown here?")).toEqual([bos, 703, ...(question?.ids ?? [])]);
  expect(prompts.encode("</s>\nWhat is shown here?")).toEqual([bos, eos, ...(question?.after ?? [])]);
});

test("a file that is damaged or of another kind is refused with a sentence", () => {
  expect(() => tokenizerFromSentencePiece(new Uint8Array(), settings)).toThrow(/holds no tokens/);
  const unigram = Uint8Array.of(0x0a, 3, 0x0a, 1, 0x61, 0x12, 2, 0x18, 1);
  expect(() => tokenizerFromSentencePiece(unigram, settings)).toThrow(/of type 1; only BPE/);
  const scoreAsInteger = Uint8Array.of(0x0a, 2, 0x10, 1);
  expect(() => tokenizerFromSentencePiece(scoreAsInteger, settings)).toThrow(/score in it is no number of 4 bytes/);
  fc.assert(
    fc.property(fc.nat(model.length), fc.nat(model.length - 1), fc.nat(255), (length, at, value) => {
      const bytes = Uint8Array.from(model.subarray(0, length));
      if (at < length) bytes[at] = value;
      try {
        tokenizerFromSentencePiece(bytes, settings);
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== "bad-checkpoint") throw error;
      }
    }),
    { numRuns: 200 },
  );
});
