// Files that the page for answers side by side is given in tests and screenshots: questions about held-out pictures, two models, a judge.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

interface GivenFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

const pictures = fileURLToPath(new URL("../../training/heldout/pictures/", import.meta.url));
const asked = [
  ["known-0000.webp", "Does the picture show a brown heart?", "yesno", "no", "No.", "Yes, it does."],
  ["known-0000.webp", "How many spiders do you see?", "count", "one", "One.", "One."],
  ["known-0000.webp", "Where is the heart relative to the spider?", "relation", "below", "Below the spider.", "Above."],
  ["known-0001.webp", "Describe the picture.", "detail", undefined, "A drawing of several things on a plain ground.", "There is a picture with a few pictograms on it."],
] as const; // prettier-ignore

const lines = (name: string, rows: readonly object[]): GivenFile => ({
  name,
  mimeType: "",
  buffer: Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join("")),
});

function answersOf(model: string, place: 4 | 5): GivenFile {
  const rows = asked.map((row, i) => ({ question_id: i + 1, prompt: row[1], text: row[place], answer_id: `${model}-${i}`, model_id: model, metadata: {} })); // prettier-ignore
  return lines(`${model}.jsonl`, rows);
}

/** Questions, answers of two models, a review of one question, and the first picture; `extra` answers belong to nothing. */
export async function reviewFiles(extra = 0): Promise<readonly GivenFile[]> {
  const questions = asked.map(([image, text, category, label], i) => ({
    question_id: i + 1,
    image,
    text,
    category,
    label,
  }));
  const review = {
    id: 1,
    question_id: 4,
    answer1_id: "pocket-llava-3",
    answer2_id: "other-3",
    category: "detail",
    content: "8 6\nAssistant 1 says more about the ground. Assistant 2 is right, and shorter.",
    tuple: [8, 6],
  }; // prettier-ignore
  const other = answersOf("other", 5);
  const unknown = Array.from({ length: extra }, (_, i) => ({ question_id: 100 + i, prompt: "?", text: "x", model_id: "other" })); // prettier-ignore
  return [
    lines("questions.jsonl", questions),
    answersOf("pocket-llava", 4),
    { ...other, buffer: Buffer.concat([other.buffer, lines("", unknown).buffer]) },
    lines("reviews.jsonl", [review]),
    {
      name: "known-0000.webp",
      mimeType: "image/webp",
      buffer: await readFile(`${pictures}known-0000.webp`),
    },
  ];
}
