import { describe, expect, test } from "vitest";
import { answerLines, memoryData } from "#testing/memory-data.ts";
import { pope } from "./pope.ts";
import type { ModelOutcome } from "./outcome.ts";

const labels = ["yes", "yes", "no", "no"];
const data = memoryData({
  "coco/coco_pope_popular.json": labels.map((label, i) => ({ question_id: i + 1, label })),
  "llava_pope_test.jsonl": labels.map((_, i) => ({ question_id: 10 + i, category: "popular" })),
});
const score = async (file: ReturnType<typeof answerLines>, strict = false): Promise<ModelOutcome> =>
  (await pope.load(data)).score(file, strict);
const figure = ({ items, figures }: ModelOutcome, name: string): number | undefined =>
  figures(items).find((one) => one.name === name)?.value;

// By hand: TP 1 (10), FN 1 (11), TN 1 (12), FP 1 (13): precision 1/2, recall 1/2, F1 1/2, accuracy 2/4, two of four yes.
const four: Parameters<typeof answerLines>[0] = [
  [10, "Yes, it is. No doubt"],
  [11, "There is not"],
  [12, "No"],
  [13, "Nobody knows"],
];

test("counts by the first sentence's words", async () => {
  const outcome = await score(answerLines(four));
  const names = [
    "mean F1",
    "popular F1",
    "popular accuracy",
    "popular precision",
    "popular recall",
    "popular yes ratio",
  ];
  expect(names.map((name) => figure(outcome, name))).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  expect(outcome.notes).toEqual([]);
});

describe("answers that do not fit are told with counts", () => {
  test("a missing one shifts the rest, as published, and is only itself wrong in strict", async () => {
    const three = answerLines(four.slice(1));
    const outcome = await score(three);
    // no/yes, no/yes, yes/no: one false positive and two false negatives.
    expect(figure(outcome, "popular accuracy")).toBe(0);
    expect(outcome.notes.join(" ")).toContain(
      "1 question of 4 has no answer in answers.jsonl: labels are paired by order, so they shift the rest.",
    );
    expect(outcome.notes.join(" ")).toContain("popular: 3 answers, 4 labels");
    expect(figure(await score(three, true), "popular accuracy")).toBe(0.25);
  });

  test("another order", async () => {
    const outcome = await score(answerLines(four.toReversed()));
    expect(outcome.notes.join(" ")).toContain("not in the order of the questions");
    const strict = await score(answerLines(four.toReversed()), true);
    expect(figure(strict, "popular accuracy")).toBe(0.5);
  });

  test("ids twice and ids of nobody", async () => {
    const { notes } = await score(answerLines([...four, [10, "No"], [99, "Yes"]]));
    expect(notes.join(" ")).toContain("1 answer of answers.jsonl is to no question of POPE and left out.");
    expect(notes.join(" ")).toContain("1 answer of answers.jsonl repeats an id");
  });

  test("a file of another benchmark is refused", async () => {
    await expect(score(answerLines([[1, "cat"], [2, "dog"]]))).rejects.toThrow(/does not look like answers to POPE: none of its 2 answers/); // prettier-ignore
  });

  test("missing labels are named with where they come from", async () => {
    await expect(pope.load(memoryData({}))).rejects.toThrow(
      /POPE's labels are missing.*coco_pope_….json in the data folder/,
    );
  });
});

test("strict reads no and not in any case, and contractions", async () => {
  const outcome = await score(answerLines([[10, "yes"], [11, "NO"], [12, "There isn't."], [13, "no"]]), true); // prettier-ignore
  expect(figure(outcome, "popular accuracy")).toBe(0.75);
});
