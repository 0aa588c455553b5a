import { expect, test } from "vitest";
import { findBoxes } from "./boxes.ts";
import { beginningOf, countWords, scriptOf } from "./words.ts";

test.each([
  ["", 0],
  ["  one\ntwo  ", 2],
  ["naïve café", 2],
  ["这是一只猫。", 6],
  ["一只 cat 在 sofa", 5],
  ["これはネコ", 5],
])("%j has its words, and a character of Chinese counts as one", (text, words) => {
  expect(countWords(text)).toBe(words);
});

test.each([
  ["Two cats.", "Latin"],
  ["Où est l’été ?", "Latin"],
  ["两只猫 (cat)", "Latin"],
  ["这是两只猫", "Han"],
  ["猫が二匹います", "Japanese"],
  ["고양이", "Korean"],
  ["Кошка", "Cyrillic"],
  ["قطة", "Arabic"],
  ["42, 17!", "none"],
  ["ᚠᚢᚦ", "other"],
])("%j is %s", (text, script) => {
  expect(scriptOf(text)).toBe(script);
});

test.each([
  ["“What is” this?", "what is"],
  ["Yes.", "yes"],
  ["图中有几只猫？", "图中有几"],
  ["… — !", ""],
])("%j begins with %j", (text, beginning) => {
  expect(beginningOf(text)).toBe(beginning);
});

test.each([
  ["a dog [0.1, 0.2, 0.5, 0.9]", "ok"],
  ["[0,0,1,1]", "ok"],
  ["[.1, 0., 1, 1.0]", "ok"],
  ["[0.1, 0.2, 0.5, 1.2]", "outside"],
  ["[-0.1, 0.2, 0.5, 0.9]", "outside"],
  ["[0.6, 0.2, 0.5, 0.9]", "reversed"],
  ["[0.1, 0.9, 0.5, 0.2]", "reversed"],
  ["[12, 34, 56, 78]", "none"],
  ["[1, 2, 3] and [0.1, 0.2, 0.3]", "none"],
])("%s: %s", (text, expected) => {
  const [box] = findBoxes(text);
  expect(box === undefined ? "none" : box.outside ? "outside" : box.reversed ? "reversed" : "ok").toBe(expected);
});
