import { expect, test } from "vitest";
import { fitOf } from "#zoo/zoo.ts";
import { languages } from "#ui/texts/all.ts";
import { filterZoo, noFilter, type ZooFilter } from "./zoo-filter.ts";

const { en, zh } = languages;
const everything = { ...noFilter, fitsOnly: false };
const ids = (filter: Partial<ZooFilter>, t = en): readonly string[] =>
  filterZoo({ ...everything, ...filter }, () => true, t).map(({ id }) => id);

test("without a filter every model that answers by itself and runs here is shown", () => {
  expect(ids({})).toContain("llava-1.5-7b");
  expect(ids({})).not.toContain("llava-1.5-7b-lora");
  expect(ids({})).not.toContain("llava-mpt-7b");
});

test("words are looked for in names, skills, base models, licenses and repositories, in any order", () => {
  expect(ids({ words: "mistral 1.6" })).toEqual(["llava-1.6-mistral-7b"]);
  expect(ids({ words: "MEDICAL" })).toEqual(["llava-med-1.5"]);
  expect(ids({ words: "医学" }, zh)).toEqual(["llava-med-1.5"]);
  expect(ids({ words: "xtuner" })).toEqual(["llava-phi-3-mini"]);
  expect(ids({ words: "no such model" })).toEqual([]);
});

test("family, license and language narrow the list", () => {
  expect(ids({ family: "smolvlm" }).every((id) => id.startsWith("smolvlm"))).toBe(true);
  expect(ids({ license: "Llama 2", family: "llava-1.5" })).toEqual(["llava-1.5-7b", "llava-1.5-13b"]);
  expect(ids({ language: "zh" })).toEqual(["llava-1.6-34b", "llava-onevision-0.5b", "llava-onevision-7b"]);
});

test("what does not fit the device is left out", () => {
  const device = { memoryBytes: 4 * 2 ** 30, gpu: { maxBufferBytes: 2 ** 30, shaderF16: true } };
  const shown = filterZoo(noFilter, (record) => fitOf(record, device).verdict !== "wont-fit", en).map(({ id }) => id);
  expect(shown).toContain("smolvlm-2.2b");
  expect(shown).not.toContain("llava-1.5-7b");
});

test("the parts of models are a list of their own, whatever fits", () => {
  const shown = filterZoo({ ...noFilter, family: "parts" }, () => false, en);
  expect(shown.length).toBeGreaterThan(10);
  expect(shown.every(({ kind }) => kind !== "model")).toBe(true);
});
