import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parseExamples } from "./examples.web.ts";

const folder = new URL("../../../public/examples/", import.meta.url);
const languages = ["en", "zh"];

test("the examples that come with the page say everything in every language of the page", async () => {
  const json: unknown = JSON.parse(await readFile(new URL("examples.json", folder), "utf8"));
  const examples = parseExamples(json, folder.href);
  expect(examples).not.toHaveLength(0);
  for (const { name, questions, glosses, alt } of examples) {
    const asked = questions["en"] ?? [];
    expect(asked, name).not.toHaveLength(0);
    for (const language of languages) {
      expect(alt[language], `${name}, ${language}`).toBeTruthy();
      expect(questions[language] ?? glosses[language], `${name}, ${language}`).toHaveLength(asked.length);
    }
  }
});

test("a list whose file would lie outside its folder is refused", () => {
  const outside = [{ file: "../secret.png", questions: { en: ["?"] }, alt: { en: "" } }];
  expect(() => parseExamples(outside, folder.href)).toThrow();
});
