// Small answer files whose figures are worked out by hand here.
import { describe, expect, test } from "vitest";
import { answerLines, memoryData } from "#testing/memory-data.ts";
import { gqa } from "./gqa.ts";
import { llavaBench } from "./llava-bench.ts";
import { mmVet } from "./mm-vet.ts";
import { mme } from "./mme.ts";
import type { GivenFile, ModelOutcome, Scorer } from "./outcome.ts";
import { scienceQa } from "./science-qa.ts";
import { seedBench } from "./seed-bench.ts";
import { textVqa } from "./text-vqa.ts";
import { vqav2 } from "./vqa.ts";

async function score(
  scorer: Scorer,
  files: Record<string, unknown>,
  file: GivenFile,
  strict = false,
): Promise<ModelOutcome> {
  return (await scorer.load(memoryData(files))).score(file, strict);
}

const printed = ({ items, figures }: ModelOutcome): Record<string, string> =>
  Object.fromEntries(figures(items).map(({ name, value, digits }) => [name, value.toFixed(digits)]));

describe("ScienceQA", () => {
  const problem = (answer: number, image: string | null): object => ({
    choices: ["red", "blue"],
    answer,
    image,
    subject: "natural science",
  });
  const files = {
    "pid_splits.json": { test: ["1", "2", "3", "4", "5"] },
    "problems.json": { 1: problem(0, "a.png"), 2: problem(1, "b.png"), 3: problem(1, null), 4: problem(0, null), 5: problem(0, null) }, // prettier-ignore
  };
  const answers = answerLines([
    ["1", "A", "<image>\nWhich?"],
    ["2", "The answer is B!", "<image>\nWhich?"],
    ["3", "b", "Which?"],
    ["4", "A. red", "Which?"],
  ]);

  test("right are 1, 2 (any character may follow the letter) and 4; 3 fails and 5 has no answer", async () => {
    const outcome = await score(scienceQa, files, answers);
    expect(printed(outcome)).toMatchObject({ "IMG accuracy": "100.00", accuracy: "60.00" });
    expect(outcome.notes).toEqual([
      "1 question of 5 has no answer in answers.jsonl: counted as wrong.",
      "1 answer names no choice and is wrong.",
    ]);
  });

  test("strict takes the small letter", async () => {
    expect(printed(await score(scienceQa, files, answers, true))).toMatchObject({ accuracy: "80.00" });
  });
});

describe("TextVQA", () => {
  const people = (...counts: readonly (readonly [string, number])[]): string[] => counts.flatMap(([text, number]) => new Array<string>(number).fill(text)); // prettier-ignore
  const files = {
    "TextVQA_0.5.1_val.json": {
      data: [
        { image_id: "a", question: "What Brand?", answers: people(["nokia", 2], ["sony", 8]) },
        { image_id: "a", question: "What time?", answers: people(["10:30", 1], ["3.5", 3], ["none", 6]) },
        { image_id: "b", question: "Unasked?", answers: people(["x", 10]) },
      ],
    },
  };
  const ending = "Answer the question using a single word or phrase.";
  const answers = answerLines([
    ["a", "The Nokia.", `What brand?\nReference OCR token: nokia, 8\n${ending}`],
    ["a", "3.5", `What time?\n${ending}`],
  ]);

  test("an answer of two people counts 2 · 1/3 and 8 · 2/3 in ten, one of three counts 3 · 2/3 and 7 · 1", async () => {
    const outcome = await score(textVqa, files, answers);
    // (2 · 1/3 + 8 · 2/3) / 10 = 0.6 and (3 · 2/3 + 7) / 10 = 0.9.
    expect(printed(outcome)).toEqual({ accuracy: "75.00" });
    expect(outcome.notes).toEqual([
      "1 question of 3 has no answer in answers.jsonl: left out of the mean, as published.",
    ]);
  });

  test("strict counts the missing one as wrong", async () => {
    expect(printed(await score(textVqa, files, answers, true))).toEqual({ accuracy: "50.00" });
  });
});

describe("MME", () => {
  const text = (first: string): string =>
    `${first}?  Please answer yes or no.\tYes\nIs it not? Please answer yes or no.\tNo\n`;
  const files = {
    "MME_Benchmark_release_version/count/1.txt": text("Two"),
    "MME_Benchmark_release_version/count/2.txt": text("Three"),
  };
  const ask = (id: string, question: string, said: string): [string, string, string] => [
    id,
    said,
    `${question}?\nAnswer the question using a single word or phrase.`,
  ];
  const rows = [
    ask("count/1.jpg", "Two", "Yes"),
    ask("count/1.jpg", "Is it not", "Nope"),
    ask("count/2.jpg", "Three", "I say yes"),
    ask("count/2.jpg", "Is it not", "no"),
  ];

  test("three of four right and one picture of two whole: 75 + 50", async () => {
    const outcome = await score(mme, files, answerLines(rows));
    expect(printed(outcome)).toMatchObject({ perception: "125.00", count: "125.00" });
    expect(outcome.notes).toEqual(["1 answer is neither yes nor no, and wrong."]);
  });

  test("pairs are answers that follow each other, and strict pairs by picture", async () => {
    const [a, b, c, d] = rows;
    const mixed = answerLines([a, c, b, d].filter((row) => row !== undefined));
    expect(printed(await score(mme, files, mixed))).toMatchObject({ count: "125.00" });
    const outcome = await score(mme, files, mixed);
    expect(outcome.notes.join(" ")).toContain("2 pairs of answers that follow each other are about different pictures");
    // "Nope" is no no when whole words count.
    expect(printed(await score(mme, files, mixed, true))).toMatchObject({ count: "50.00" });
  });
});

test("SEED-Bench counts the bare letter, by type and by picture or video", async () => {
  const question = (question_id: string, data_type: string, answer: string): object => ({
    question_id,
    question_type_id: data_type === "video" ? 10 : 1,
    data_type,
    answer,
  });
  const files = {
    "SEED-Bench.json": {
      questions: [question("1", "image", "A"), question("2", "image", "B"), question("3", "image", "C"), question("v1", "video", "D")], // prettier-ignore
      question_type: { "Scene Understanding": 1, "Action Recognition": 10 },
    },
  };
  const answers = answerLines([[1, "A"], [2, "B."], [3, "c"], ["v1", "D"]]); // prettier-ignore
  expect(printed(await score(seedBench, files, answers))).toEqual({
    image: "33.33",
    video: "100.00",
    total: "50.00",
    "Scene Understanding": "33.33",
    "Action Recognition": "100.00",
  });
  expect(printed(await score(seedBench, files, answers, true))).toMatchObject({ image: "100.00" });
});

test("GQA compares words in lower case without periods at the end", async () => {
  const files = {
    "data/testdev_balanced_questions.json": {
      "1": { answer: "yes", types: { structural: "verify" } },
      "2": { answer: "cat", types: { structural: "query" } },
      "3": { answer: "cat", types: { structural: "query" } },
    },
  };
  const outcome = await score(gqa, files, answerLines([["1", "Yes."], ["2", "A cat"], ["3", "Cat.."]])); // prettier-ignore
  expect(printed(outcome)).toEqual({
    accuracy: "66.67",
    binary: "100.00",
    open: "50.00",
    query: "50.00",
    verify: "100.00",
  });
});

test("VQAv2 leaves the punctuation of people who agree as it is", async () => {
  const annotation = (question_id: number, answers: readonly string[]): object => ({
    question_id,
    answers: answers.map((answer) => ({ answer })),
    answer_type: "other",
  });
  const files = {
    "v2_mscoco_val2014_annotations.json": {
      annotations: [
        annotation(1, new Array<string>(10).fill("ice-cream")),
        annotation(2, ["ice", ...new Array<string>(9).fill("ice-cream")]),
      ],
    },
  };
  // Normalized to "ice cream": the first question's people keep their hyphen, so it is wrong there; 9 · 1 and 1 · 1 in the second.
  expect(printed(await score(vqav2, files, answerLines([[1, "ice-cream"], [2, "Ice-cream"]])))).toEqual({ accuracy: "50.00", other: "50.00" }); // prettier-ignore
});

test("MM-Vet is the mean grade of all questions and of each capability; a missing grade is 0", async () => {
  const files = { "mm-vet.json": { v1_0: { capability: ["ocr"] }, v1_1: { capability: ["ocr", "math"] }, v1_2: { capability: ["rec"] } } }; // prettier-ignore
  const grades = { v1_0: { score: [1, 0.5] }, v1_1: { score: [0.1, 0.3] } };
  const outcome = await score(mmVet, files, { name: "grades.json", text: JSON.stringify(grades) });
  // (0.75 + 0.2 + 0) / 3, (0.75 + 0.2) / 2, 0.2, 0.
  expect(printed(outcome)).toEqual({ total: "31.7", ocr: "47.5", math: "20.0", rec: "0.0" });
  expect(outcome.notes).toEqual(["1 question of 3 has no grade in grades.json: counted as 0, as published."]);
});

test("LLaVA-Bench lets −1 into the means as published, and says so", async () => {
  const row = (category: string, ...tuple: readonly number[]): object => ({ question_id: 1, category, tuple });
  const lines = [row("conv", 8, 6), row("conv", 9, 9), row("detail", -1, -1)].map((one) => JSON.stringify(one));
  const file = { name: "reviews.jsonl", text: `${lines.join("\n")}\n{"question_id": 4, "tup` };
  const outcome = await score(llavaBench, {}, file);
  // Means of all: 16/3 and 14/3, rounded to 5.333 and 4.667: 87.5. Means of conv: 8.5 and 7.5: 88.2.
  expect(printed(outcome)).toMatchObject({ all: "87.5", conv: "88.2", detail: "100.0" });
  expect(outcome.notes).toEqual([
    "The last line of reviews.jsonl is cut off and left out.",
    "The scores of 1 review of 3 could not be read from the judge's words: −1 counts in the means, as published.",
  ]);
  expect(printed(await score(llavaBench, {}, file, true))).toMatchObject({ all: "88.2" });
});
