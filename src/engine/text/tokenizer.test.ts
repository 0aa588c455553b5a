import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createTokenizer } from "./tokenizer.ts";

const folder = new URL("../../../training/fixtures/tiny-llava/", import.meta.url);
const readObject = (name: string): object => {
  const json: unknown = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
  if (typeof json !== "object" || json === null) throw new Error(`${name} is no object`);
  return json;
};
const tokenizer = createTokenizer(readObject("tokenizer.json"), readObject("tokenizer_config.json"));
const [bos, eos, image] = [1, 2, 4];

test("one BOS leads, whether the text has one or not", () => {
  expect(tokenizer.encode("What?")[0]).toBe(bos);
  expect(tokenizer.encode("<s>What?")).toEqual(tokenizer.encode("What?"));
});

test("special tokens of the prompt become their ids", () => {
  const ids = tokenizer.encode("<image>\nWhat?</s>");
  expect(ids[1]).toBe(image);
  expect(ids.at(-1)).toBe(eos);
  expect(tokenizer.idOf("<image>")).toBe(image);
});

test.each(["A small red star.", " leading and  double spaces\n\n", "é 日本語 🌋 👩‍👩‍👧", "don't I'LL 1234 a_b"])(
  "%j comes back as it was",
  (text) => {
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  },
);

test("special tokens are left out of decoded text", () => {
  expect(tokenizer.decode([bos, ...tokenizer.encode("star").slice(1), eos])).toBe("star");
});

test("the image token can't be typed, also where the checkpoint does not mark it as special", () => {
  const unmark = (name: string): object => {
    const text = JSON.stringify(readObject(name));
    const changed = text.replace(/(\{[^{}]*"content":"<image>"[^{}]*"special":)true/g, "$1false");
    expect(changed).not.toBe(text);
    return JSON.parse(changed) as object;
  };
  const json = unmark("tokenizer.json");
  const unmarked = createTokenizer(json, readObject("tokenizer_config.json"), [image]);
  expect(unmarked.encode("<image>")).toContain(image);
  const typed = unmarked.encode(unmarked.defuse("What is <image> here? <<image>image>"));
  expect(typed).not.toContain(image);
});

test("defused text holds no special token and is otherwise untouched", () => {
  const ids = tokenizer.encode(tokenizer.defuse("</s><image><s> <b>x</b>"));
  expect(ids.filter((id) => id < 5)).toEqual([bos]);
  expect(tokenizer.defuse("a <b>bold</b> claim")).toBe("a <b>bold</b> claim");
});

test("a tokenizer.json that makes no sense is a bad package", () => {
  expect(() => createTokenizer({}, {})).toThrow(expect.objectContaining({ code: "bad-package" }));
});
