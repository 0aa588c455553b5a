// Models in GGUF as checkpoints: tokenizers against the originals, files that don't fit together, and files that are damaged.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Tokenizer } from "@huggingface/tokenizers";
import * as v from "valibot";
import { expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import { readText, type CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { readObject } from "#convert/checkpoint/json-file.ts";
import { parseConfig } from "#convert/config/config.ts";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { imageProcessor } from "#convert/package/package-config.ts";
import { openSource } from "#convert/source/checkpoint-source.ts";
import { memoryCheckpoint, memoryPackage } from "#testing/fixtures.ts";
import { seeded } from "#testing/seeded.ts";
import { openGguf } from "./open-gguf.ts";
import { tokenizerOf } from "./tokenizer.ts";

const fixtures = new URL("../../../training/fixtures/", import.meta.url);
const file = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(new URL(`gguf/${name}`, fixtures)));
const folderOf = (files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>) => ({
  ...memoryCheckpoint("pictures", new Map(Object.entries(files))),
  names: () => Promise.resolve(Object.keys(files)),
});
const model = file("llava-1.5.gguf");
const mmproj = file("llava-1.5.mmproj.gguf");
const bits = { vision: 32, embed: 32, decoder: 32 } as const;

const ids = v.array(v.number());
const Golden = v.object({ texts: v.array(v.object({ text: v.string(), ids, decoded: v.string() })) });

test.each([
  ["spm.gguf", "golden.json", [1]],
  ["bare.gguf", "bare.json", []],
])("the tokenizer in %s gives the ids of SentencePiece", async (name, golden, lead) => {
  const { tokenizer } = tokenizerOf(await openGguf(folderOf({ [name]: file(name) }), name));
  const own = new Tokenizer(tokenizer, {});
  const { texts } = v.parse(Golden, JSON.parse(readFileSync(new URL(`sentencepiece/${golden}`, fixtures), "utf8")));
  for (const { text, ids: expected, decoded } of texts) {
    expect(own.encode(text).ids, text).toEqual([...lead, ...expected]);
    if (text !== "") expect(own.decode(expected, { clean_up_tokenization_spaces: false }), text).toBe(decoded);
  }
});

test.each(["llava-1.5", "llava-interleave"])("the byte-level tokenizer of %s is the checkpoint's own", async (name) => {
  const { tokenizer } = tokenizerOf(await openGguf(folderOf({ "a.gguf": file(`${name}.gguf`) }), "a.gguf"));
  const path = new URL(`families/${name}/tokenizer.json`, fixtures);
  const original = new Tokenizer(v.parse(v.looseObject({}), JSON.parse(readFileSync(path, "utf8"))), {});
  const own = new Tokenizer(tokenizer, {});
  const texts = [
    "USER: What is this? ASSISTANT:",
    "  two  spaces\n\n",
    "ÄÖÜ straße, 你好, 🦙!",
    "3,14159",
    "<s>a</s><image>\nb",
    "",
  ];
  for (const text of texts) expect(own.encode(text).ids, text).toEqual(original.encode(text).ids);
});

test.each(["llama-bpe", "qwen2"])("the tokenizer in %s.gguf gives the ids of Hugging Face's", async (name) => {
  const { tokenizer } = tokenizerOf(await openGguf(folderOf({ "a.gguf": file(`${name}.gguf`) }), "a.gguf"));
  const own = new Tokenizer(tokenizer, {});
  const golden = v.object({ texts: v.array(v.object({ text: v.string(), ids })) });
  const { texts } = v.parse(golden, JSON.parse(readFileSync(new URL(`gguf/${name}.golden.json`, fixtures), "utf8")));
  expect(texts.length).toBeGreaterThan(30);
  for (const { text, ids: expected } of texts) expect(own.encode(text).ids, JSON.stringify(text)).toEqual(expected);
});

test("a split model becomes the same package as the whole one", async () => {
  const parts = [1, 2, 3].map((i) => `llava-interleave-0000${i}-of-00003.gguf`);
  const mmproj = { "mmproj.gguf": file("llava-interleave.mmproj.gguf") };
  const [whole, split] = [memoryPackage(), memoryPackage()];
  await convert(folderOf({ "a.gguf": file("llava-interleave.gguf"), ...mmproj }), whole, { bits });
  await convert(folderOf({ ...Object.fromEntries(parts.map((part) => [part, file(part)])), ...mmproj }), split, {
    bits,
  });
  expect([...split.written.keys()]).toEqual([...whole.written.keys()]);
  for (const [path, bytes] of whole.written) expect(split.written.get(path), path).toEqual(bytes);
});

test("SmolVLM in GGUF is configured as its checkpoint in safetensors is", async () => {
  for (const name of ["smolvlm", "smolvlm2"]) {
    const gguf = await openSource(
      folderOf({ "a.gguf": file(`${name}.gguf`), "mmproj.gguf": file(`${name}.mmproj.gguf`) }),
    );
    const own = checkpointFolder(fileURLToPath(new URL(`families/${name}`, fixtures)));
    const configOf = async (folder: CheckpointFolder) => parseConfig((await readObject(folder, "config.json")) ?? {});
    expect(await configOf(gguf.folder)).toEqual(await configOf(own));
    const [pictures, ownPictures] = [await imageProcessor(gguf.folder), await imageProcessor(own)];
    for (const key of ["size", "max_image_size", "image_mean", "image_std"]) {
      expect(pictures?.[key], key).toEqual(ownPictures?.[key]);
    }
  }
});

test("SmolVLM in GGUF without a chat template gets its own, and with one keeps that", async () => {
  const known = await readText(
    checkpointFolder(fileURLToPath(new URL("families/smolvlm", fixtures))),
    "chat_template.jinja",
  );
  const templateOf = async (model: Uint8Array<ArrayBuffer>): Promise<unknown> => {
    const { folder } = await openSource(folderOf({ "a.gguf": model, "mmproj.gguf": file("smolvlm.mmproj.gguf") }));
    return (await readObject(folder, "tokenizer_config.json"))?.["chat_template"];
  };
  const bytes = file("smolvlm.gguf");
  const key = Buffer.from("tokenizer.chat_template");
  const at = Buffer.from(bytes).indexOf(key);
  // The same file, whose template has another name.
  const without = bytes.slice();
  without.set(Buffer.from("tokenizer.other_template").subarray(0, key.length), at);
  expect(await templateOf(without)).toBe(known);
  const other = bytes.slice();
  const capital = Buffer.from(bytes).indexOf("capitalize", at);
  other.set(Buffer.from("upper     "), capital);
  expect(await templateOf(other)).toBe(known?.replace("capitalize", "upper     "));
});

test("the only model in a folder is found with its projector, under any names", async () => {
  const { folder, names } = await openSource(
    folderOf({ "ggml-model-f16.gguf": model, "mmproj-model-f16.gguf": mmproj }),
  );
  expect(names).toEqual(["llava-1.5"]);
  expect(await folder.open("config.json")).toBeDefined();
  const chosen = await openSource(folderOf({ one: mmproj, two: model }), { gguf: ["one", "two"] });
  expect(chosen.checkpoint.has("language_model.model.layers.1.self_attn.q_proj.weight")).toBe(true);
});

const sentences: readonly (readonly [string, Record<string, Uint8Array<ArrayBuffer>>, readonly string[] | undefined, RegExp])[] = [
  ["a model alone", { "a.gguf": model }, undefined, /a\.gguf is a language model without its eyes; .*--mmproj/],
  ["a projector alone", { "mmproj.gguf": mmproj }, undefined, /mmproj\.gguf.*projector; the model's GGUF file is needed/],
  ["two models", { "a.gguf": model, "b.gguf": model }, undefined, /holds 2 models; give one of their files: a\.gguf, b\.gguf/],
  ["two models that were asked for", { "a.gguf": model, "b.gguf": model }, ["a.gguf", "b.gguf"], /b\.gguf is a language model, too; --mmproj takes the projector/],
  [
    "another model's projector",
    { "a.gguf": model, "mmproj.gguf": file("llava-1.6-34b.mmproj.gguf") },
    undefined,
    /mmproj\.gguf is another model's projector: it makes rows of 42 numbers, and a\.gguf reads rows of 32/,
  ],
  ["a file that is not there", { "a.gguf": model }, ["a.gguf", "b.gguf"], /there is no file b\.gguf/],
  ["a part that is not there", { "a-00001-of-00002.gguf": model, "mmproj.gguf": mmproj }, undefined, /a-00002-of-00002\.gguf is missing/],
  ["a tokenizer alone", { "a.gguf": file("spm.gguf"), "mmproj.gguf": mmproj }, undefined, /has no llama\.embedding_length/],
  ["blocks of nothing known", { "a.gguf": file("types.gguf"), "mmproj.gguf": mmproj }, undefined, /architecture "none".*known are llama/],
]; // prettier-ignore

test.each(sentences)("%s: a sentence, and no package", async (_what, files, gguf, words) => {
  const to = memoryPackage();
  await expect(convert(folderOf(files), to, { bits, more: { gguf } })).rejects.toThrow(words);
  expect(to.written.size).toBe(0);
});

test("a file that shrinks while it is read makes no package", async () => {
  const to = memoryPackage();
  const from = folderOf({ "a.gguf": model, "mmproj.gguf": mmproj });
  let reads = 0;
  const shrinking = {
    ...from,
    async open(path: string) {
      const source = await from.open(path);
      if (!source) return undefined;
      return {
        bytes: source.bytes,
        async read(offset: number, length: number) {
          if (++reads > 30) throw new EngineError("bad-checkpoint", "a.gguf is truncated: it ends at byte 40000");
          return source.read(offset, length);
        },
      };
    },
  };
  await expect(convert(shrinking, to, { bits })).rejects.toThrow(/is truncated/);
  expect(to.written.size).toBe(0);
});

test("300 models with mutated headers become a package or a sentence", { timeout: 120_000 }, async () => {
  const { seed, random } = seeded();
  const pick = (below: number): number => Math.floor(random() * below);
  const outcomes = { packages: 0, sentences: 0 };
  for (let round = 0; round < 300; round++) {
    const [a, b] = [model.slice(), mmproj.slice()];
    // The tokens of the model take the most of its header; most of what is told of the model lies around them.
    const [target, end] = round % 2 === 0 ? [a, pick(2) === 0 ? 700 : 9000] : [b, 3000];
    for (let i = 0; i <= pick(3); i++) {
      if (pick(3) === 0) target.fill(pick(2) * 255, pick(end), pick(end) + 4);
      else target[pick(end)] = pick(256);
    }
    const to = memoryPackage();
    try {
      await convert(folderOf({ "a.gguf": a, "mmproj.gguf": b }), to, { bits });
      outcomes.packages++;
    } catch (error) {
      const told = `seed ${seed}, round ${round}: ${String(error instanceof Error ? error.stack : error)}`;
      expect(error instanceof EngineError && error.code === "bad-checkpoint", told).toBe(true);
      expect(to.written.size, told).toBe(0);
      outcomes.sentences++;
    }
  }
  expect(outcomes.sentences).toBeGreaterThan(100);
});
