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

test("every photograph among the examples names its maker and license, as NOTICE does", async () => {
  const json: unknown = JSON.parse(await readFile(new URL("examples.json", folder), "utf8"));
  const notice = await readFile(new URL("../../NOTICE", folder), "utf8");
  const photographs = parseExamples(json, folder.href).filter(({ name }) => name.endsWith(".jpg"));
  expect(photographs).not.toHaveLength(0);
  for (const { name, credit } of photographs) {
    const line = notice.split("\n").find((one) => one.includes(`(${name})`));
    expect(line).toContain(credit?.holder ?? "a holder");
    expect(line).toContain(credit?.license ?? "a license");
  }
});

test("a list whose file would lie outside its folder is refused", () => {
  const outside = [{ file: "../secret.png", questions: { en: ["?"] }, alt: { en: "" } }];
  expect(() => parseExamples(outside, folder.href)).toThrow();
});
