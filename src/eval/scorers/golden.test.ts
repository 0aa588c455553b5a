// Every scorer beside a Python oracle of the published rules: training/make_eval_golden.py makes the answers, the labels and the figures.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { dataFolder } from "#eval/files/data-folder.node.ts";
import { fixed } from "#eval/files/python.ts";
import { contractions } from "./contractions.ts";
import { normalizeAnswer } from "./normalize.ts";
import { scorers } from "./scorers.ts";

const folder = fileURLToPath(new URL("../../../training/fixtures/evaluation/", import.meta.url));
const readJson = async (name: string): Promise<unknown> => JSON.parse(await readFile(folder + name, "utf8"));

describe("figures are those of the Python oracle to the printed digit", async () => {
  const golden = (await readJson("golden.json")) as Record<string, Record<string, string>>;
  test.each(scorers.map((scorer) => [scorer.id, scorer] as const))("%s", async (id, scorer) => {
    const wanted = golden[id];
    if (!wanted) throw new Error(`golden.json has no ${id}`);
    const labelled = await scorer.load(await dataFolder(folder, scorer.folders));
    const name = `${folder}${scorer.folders[0] ?? ""}/answers.jsonl`;
    const text = await readFile(name, "utf8").catch(() => readFile(name.replace(/l$/, ""), "utf8"));
    const outcome = labelled.score({ name, text }, false);
    const printed = Object.fromEntries(
      outcome.figures(outcome.items).map((figure) => [figure.name, fixed(figure.value, figure.digits)]),
    );
    expect(printed).toMatchObject(wanted);
    // Strict scoring runs on the same files.
    const strict = labelled.score({ name, text }, true);
    expect(strict.figures(strict.items)[0]?.value).toBeGreaterThan(0);
  });
});

test("the normalizer gives what Python gives", async () => {
  const rows = (await readJson("normalizer.json")) as [string, string][];
  expect(rows.length).toBeGreaterThan(400);
  expect(rows.map(([text]) => [text, normalizeAnswer(text)])).toEqual(rows);
});

test("numbers are rounded as Python rounds them", async () => {
  const rows = (await readJson("rounding.json")) as [number, number, string][];
  expect(rows.map(([value, digits]) => [value, digits, fixed(value, digits)])).toEqual(rows);
});

test("the table of contractions has its 120 forms", () => {
  expect(contractions.size).toBe(120);
  expect(contractions.get("dont")).toBe("don't");
  expect(contractions.get("somebody'd")).toBe("somebodyd");
});
