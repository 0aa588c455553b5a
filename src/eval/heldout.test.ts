import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readHeldout } from "./heldout.ts";

let parent: string;
let folder: string;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const question = {
  question_id: 7,
  image: "a.webp",
  text: "What is this?",
  kind: "naming",
  style: "known",
  answers: ["cat"],
  match: "contains",
};
const questions = `${JSON.stringify(question)}\n`;
const answers = `${JSON.stringify({ question_id: 7, text: "A cat." })}\n`;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "heldout-"));
  folder = join(parent, "heldout");
  await mkdir(folder);
  await mkdir(join(parent, "checkpoint"));
  await writeFile(join(parent, "checkpoint", "model.safetensors"), "weights");
  await mkdir(join(folder, "pictures"));
  await writeFile(join(folder, "pictures", "b.webp"), "second");
  await writeFile(join(folder, "pictures", "a.webp"), "first");
  await writeFile(join(folder, "questions.jsonl"), questions);
  await writeFile(join(folder, "answers-fp32.jsonl"), answers);
  const hashes = {
    questions: sha256(questions),
    answers: sha256(answers),
    checkpoint: sha256("weights"),
    pictures: sha256(`a.webp ${sha256("first")}\nb.webp ${sha256("second")}\n`),
  };
  await writeFile(join(folder, "hash.json"), JSON.stringify(hashes));
});
afterEach(() => rm(parent, { recursive: true }));

test("questions come with the checkpoint's answers", async () => {
  const heldout = await readHeldout(folder);
  expect(heldout.questions).toMatchObject([{ id: 7, kind: "naming", reference: "A cat." }]);
});

test.each([
  ["questions.jsonl", questions.replace("cat", "dog"), /set's questions changed/],
  ["answers-fp32.jsonl", answers.replace("cat", "dog"), /set's answers changed/],
  ["pictures/a.webp", "another", /set's pictures changed/],
  ["../checkpoint/model.safetensors", "other weights", /set's checkpoint changed/],
])("a changed %s is refused", async (file, text, message) => {
  await writeFile(join(folder, file), text);
  await expect(readHeldout(folder)).rejects.toThrow(message);
});

test("a missing file is named", async () => {
  await rm(join(folder, "hash.json"));
  await expect(readHeldout(folder)).rejects.toThrow(/hash.json is missing/);
});
