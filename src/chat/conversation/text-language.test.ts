import { expect, test } from "vitest";
import { languagesOf, modelsThatRead } from "#zoo/languages.ts";
import { builtInModelId } from "#zoo/models.ts";
import { languageOfText } from "./text-language.ts";

test.each([
  ["图里有几只猫？", "zh"],
  ["这是什么 logo?", "zh"],
  ["いくつありますか", "ja"],
  ["猫は何匹いますか？", "ja"],
  ["고양이가 몇 마리 있나요?", "ko"],
  ["Сколько здесь кошек?", "ru"],
  ["كم قطة في الصورة؟", "ar"],
])("the letters of %s tell its language", (text, language) => {
  expect(languageOfText(text)).toBe(language);
});

test.each(["How many cats are there?", "¿Cuántos gatos hay?", "What does 出口 mean on this sign?", "", "42?", "🐈"])(
  "of %s nothing is told",
  (text) => {
    expect(languageOfText(text)).toBeUndefined();
  },
);

test("the built-in model is asked in English, and some model of the zoo in Chinese", () => {
  expect(languagesOf(builtInModelId)).toEqual(["en"]);
  expect(modelsThatRead("zh")[0]?.id).toBe("llava-onevision-0.5b");
  for (const { sources } of modelsThatRead("zh")) expect(languagesOf(sources[0].repository)).toContain("zh");
  expect(languagesOf("server-1/llava-13b")).toBeUndefined();
});
