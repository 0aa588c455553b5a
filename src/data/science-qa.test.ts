// Worked out by hand from what LLaVA's converter does; its quirks are the point.
import { expect, test } from "vitest";
import { scienceQaSamples } from "./science-qa.ts";

const problems = JSON.stringify({
  "7": {
    question: "Which animal barks?",
    choices: ["a cat", "a dog"],
    answer: 1,
    hint: "Look at  the picture. ",
    image: "image.png",
    lecture: "Cats meow.\nDogs bark.",
    solution: "It barks.",
  },
  "8": { question: "Who?", choices: ["I", "you", "we"], answer: 0, hint: "", image: null, lecture: "", solution: "" },
});
const splits = JSON.stringify({ train: ["8", "7"], test: [] });
const values = (format: string): string[][] =>
  scienceQaSamples(problems, splits, "train", format).map(({ conversations }) =>
    conversations.map(({ value }) => value),
  );

test("samples are LLaVA's, in the split's order", () => {
  expect(scienceQaSamples(problems, splits, "train", "QCM-LEA")).toEqual([
    {
      id: "8",
      conversations: [
        { from: "human", value: "Who?\nContext: N/A\nOptions: (A) I (B) you (C) we" },
        // Three spaces become two, one of which goes with "Answer: ".
        { from: "gpt", value: " The answer is A." },
      ],
    },
    {
      id: "7",
      image: "7/image.png",
      conversations: [
        {
          from: "human",
          value: "Which animal barks?\nContext: Look at the picture.\nOptions: (A) a cat (B) a dog\n<image>",
        },
        { from: "gpt", value: "Cats meow.\nDogs bark. It barks. The answer is B." },
      ],
    },
  ]);
  expect(scienceQaSamples(problems, splits, "test", "QCM-LEA")).toEqual([]);
});

test.each([
  ["CQM-A", "Context: N/A\nQuestion: Who?\nOptions: (A) I (B) you (C) we", "The answer is A."],
  ["QCML-A", "Who?\nContext: N/A\nOptions: (A) I (B) you (C) we", "The answer is A."],
  ["QCLM-AL", "Who?\nContext: N/A\nBECAUSE: \nOptions: (A) I (B) you (C) we", "The answer is A."],
  ["QCM-LEPA", "Who?\nContext: N/A\nOptions: (A) I (B) you (C) we", "###\nANSWER: A."],
])("%s without lecture and solution", (format, question, answer) => {
  expect(values(format)[0]).toEqual([question, answer]);
});

test.each([
  ["QCM-AL", "The answer is B. BECAUSE: It barks."],
  ["QCM-AE", "The answer is B. BECAUSE: Cats meow.\nDogs bark."],
  ["QCM-ALE", "The answer is B. BECAUSE: Cats meow.\nDogs bark. It barks."],
  ["QCM-AEL", "The answer is B. BECAUSE: It barks. Cats meow.\nDogs bark."],
  ["QCM-LA", "Cats meow.\nDogs bark. The answer is B."],
  ["QCM-EA", "It barks. The answer is B."],
  ["QCM-ELA", "It barks. Cats meow.\nDogs bark. The answer is B."],
  ["QCM-LEPA", "LECTURE: Cats meow.\nDogs bark.\nSOLUTION: It barks.\n###\nANSWER: B."],
])("%s: AL has the solution and AE the lecture, as in the converter", (format, answer) => {
  expect(values(format)[1]?.[1]).toBe(answer);
});

test.each([
  ["QCMLE", "\nBECAUSE: Cats meow.\nDogs bark. It barks.\n<image>"],
  ["QCLEM", "Look at the picture.\nBECAUSE: Cats meow.\nDogs bark. It barks.\nOptions: (A) a cat (B) a dog\n<image>"],
])("%s gives reasons in the question", (input, end) => {
  expect(values(`${input}-A`)[1]?.[0]?.endsWith(end)).toBe(true);
});

test.each([
  ["what is no list of problems", "[]x", splits, "train", "QCM-A", /problems\.json is no JSON object/],
  ["splits that are none", problems, "{}x", "train", "QCM-A", /pid_splits\.json is no JSON object/],
  ["another split", problems, splits, "dev", "QCM-A", /no split "dev"; it has train, test/],
  ["another format", problems, splits, "train", "QCM-X", /no format "QCM-X"/],
  [
    "a problem that is missing",
    problems,
    '{"train": ["9"]}',
    "train",
    "QCM-A",
    /problem 9 of the split train is missing/,
  ],
])("%s is named with what is known", (_, all, parts, split, format, message) => {
  expect(() => scienceQaSamples(all, parts, split, format)).toThrow(message);
});
