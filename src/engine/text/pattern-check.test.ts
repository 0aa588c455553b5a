import { expect, test } from "vitest";
import { refuseEndlessPatterns } from "./pattern-check.ts";
import { createTokenizer } from "./tokenizer.ts";

const split = (Regex: string): object => ({
  pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Split", pattern: { Regex } }] },
});

test.each(["(a+)+$", "(?:\\w+\\s?)*$", "(x|xx)+y", "^(?:[a-z0-9]+-?)+$", "(?:\\p{L}*)*!$", "(\\s|\\n)+;"])(
  "a pattern whose search would not come to an end is refused: %s",
  (pattern) => {
    expect(() => refuseEndlessPatterns(split(pattern))).toThrow(/tokenizer\.json: searching for/);
    expect(() => createTokenizer({ ...split(pattern), model: {} }, {})).toThrow(/would not come to an end/);
  },
);

test.each([
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  "(?:\\r?\\n)+",
  "\\d{1,3}(?=(?:\\d{3})*\\b)",
  "(?:,\\d+)*",
])("patterns as tokenizers have them are taken: %s", (pattern) => {
  expect(() => refuseEndlessPatterns(split(pattern))).not.toThrow();
});
