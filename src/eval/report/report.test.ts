import { describe, expect, test } from "vitest";
import { createRandom } from "#engine/text/sampler.ts";
import type { Item, ModelOutcome, Scorer } from "#eval/scorers/outcome.ts";
import { percentFigures } from "#eval/scorers/outcome.ts";
import { compare, exactMcNemar, intervals } from "./bootstrap.ts";
import { makeReport, toJson, toMarkdown } from "./report.ts";
import { toTerminal } from "./terminal.ts";

const items = (scores: readonly number[]): Item[] => scores.map((score, i) => ({ id: String(i), groups: [], score }));
const outcome = (model: string, scores: readonly number[], notes: readonly string[] = []): ModelOutcome => ({
  model,
  items: items(scores),
  notes,
  figures: (some) => percentFigures(some, "accuracy", []),
});
const scorer: Scorer = {
  id: "x",
  title: "X-Bench",
  folders: [],
  repairs: ["a small letter counts"],
  load: () => Promise.reject(new Error("not asked for")),
};
const draws = { resamples: 400, seed: 3 };

describe("intervals", () => {
  test("cover the true share about as often as they say", () => {
    const random = createRandom(11);
    let covered = 0;
    for (let sample = 0; sample < 200; sample++) {
      const { items: drawn, figures } = outcome(
        "m",
        Array.from({ length: 80 }, () => (random() < 0.6 ? 1 : 0)),
      );
      const range = intervals(drawn, figures, { resamples: 200, seed: sample }).get("accuracy");
      if (range && range.low <= 60 && range.high >= 60) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.88);
    expect(covered / 200).toBeLessThanOrEqual(1);
  });

  test("are the same for the same seed, and a point where all answers are right", () => {
    const { items: drawn, figures } = outcome("m", [1, 0, 1, 1, 0]);
    expect(intervals(drawn, figures, draws)).toEqual(intervals(drawn, figures, draws));
    expect(intervals(items([1, 1, 1]), figures, draws).get("accuracy")).toEqual({ low: 100, high: 100 });
  });
});

describe("McNemar's exact test", () => {
  test("by hand: 1 against 5 of six flips is 2 · (1 + 6) / 64", () => {
    expect(exactMcNemar(1, 5)).toBeCloseTo(14 / 64, 12);
    expect(exactMcNemar(5, 1)).toBeCloseTo(14 / 64, 12);
  });
  test("is 1 for no difference, and stands thousands of flips", () => {
    expect(exactMcNemar(0, 0)).toBe(1);
    expect(exactMcNemar(2000, 2000)).toBe(1);
    expect(exactMcNemar(1000, 1200)).toBeLessThan(1e-4);
  });
});

test("two models are compared on the questions that both have", () => {
  const first = outcome("a", [1, 1, 0, 0]);
  const second = { ...outcome("b", [1, 1, 1, 0]), items: items([1, 1, 1, 0]).slice(1) };
  expect(compare(first, second, draws)).toMatchObject({ items: 3, mcnemar: { onlyFirst: 0, onlySecond: 1, p: 1 } });
  expect(compare(first, { ...second, items: [] }, draws)).toBeUndefined();
});

test("scores between 0 and 1 have no McNemar", () => {
  expect(compare(outcome("a", [0.3, 1]), outcome("b", [1, 1]), draws)).not.toHaveProperty("mcnemar");
});

describe("the report", () => {
  const report = makeReport(
    scorer,
    [
      {
        file: "a.jsonl",
        published: outcome("m", [1, 0, 1, 0], ["1 question has no answer."]),
        strict: outcome("m", [1, 1, 1, 0]),
      },
      { file: "b.jsonl", published: outcome("m", [1, 1, 1, 1]) },
    ],
    draws,
  );

  test("has a column for each model, intervals, what strict changes, and what does not fit", () => {
    const text = toMarkdown(report);
    expect(text).toContain("| Figure | Questions | m (a.jsonl) | m (b.jsonl) |");
    expect(text).toMatch(
      /\| accuracy \| 4 \| 50\.00 % \([\d.]+–[\d.]+\); strict 75\.00 % \(\+25\.00\) \| 100\.00 % \(100\.00–100\.00\) \|/,
    );
    expect(text).toContain("- a small letter counts");
    expect(text).toContain("- m (a.jsonl): 1 question has no answer.");
    expect(text).toContain("McNemar's exact p 0.500");
  });

  test("is JSON with unrounded numbers", () => {
    const parsed = JSON.parse(toJson(report)) as { models: { figures: { value: number; printed: string }[] }[] };
    expect(parsed.models[0]?.figures[0]).toMatchObject({ value: 50, printed: "50.00 %" });
  });

  test("is aligned for a terminal", () => {
    const lines = toTerminal(report).split("\n");
    expect(lines[0]).toBe("X-Bench");
    expect(lines[2]).toMatch(/^Figure {4}Questions {2}m \(a\.jsonl\) +m \(b\.jsonl\)$/);
  });
});
