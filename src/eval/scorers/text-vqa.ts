// TextVQA: questions about text in pictures, each with ten people's answers.
import * as v from "valibot";
import type { AnswerFile } from "#eval/files/answers.ts";
import { need, readLabelFile } from "#eval/files/data-files.ts";
import { count, isAre } from "#eval/files/problems.ts";
import { normalizeAnswer } from "./normalize.ts";
import { forAnswers, percentFigures, type Item, type Outcome, type Scorer } from "./outcome.ts";
import { wrongFile } from "./pairing.ts";
import { softScores } from "./soft-accuracy.ts";

const Annotations = v.object({
  data: v.array(v.object({ image_id: v.string(), question: v.string(), answers: v.array(v.string()) })),
});
type Labels = ReadonlyMap<string, readonly string[]>;

export const textVqa: Scorer = {
  id: "textvqa",
  title: "TextVQA",
  folders: ["textvqa"],
  repairs: [
    "the normalizer keeps a period with a digit on either side, and removes all others, not the first 32",
    "a question without an answer counts as wrong, and of several answers to one question the last counts",
  ],
  async load(data) {
    const file = await need(
      data,
      ["TextVQA_0.5.1_val.json"],
      "TextVQA's labels",
      "TextVQA's download page has it: TextVQA v0.5.1, validation set.",
    );
    const { data: rows } = readLabelFile(Annotations, file);
    const labels: Labels = new Map(rows.map((row) => [keyOf(row.image_id, row.question.toLowerCase()), row.answers]));
    return forAnswers((answers, strict) => score(answers, labels, strict));
  },
};

const keyOf = (image: string, question: string): string => `${image}\n${question}`;

function score(file: AnswerFile, labels: Labels, strict: boolean): Outcome {
  const notes = [...file.notes];
  const answered = new Map<string, Item>();
  const items: Item[] = [];
  let [unknown, shapeless] = [0, 0];
  for (const { id, prompt, text } of file.answers) {
    const question = questionOf(prompt);
    if (question === undefined) {
      shapeless++;
      continue;
    }
    const key = keyOf(id, question);
    const answers = labels.get(key);
    if (!answers) {
      unknown++;
      continue;
    }
    const value = softScores(answers.map((answer) => normalizeAnswer(answer, strict))).get(
      normalizeAnswer(text, strict),
    );
    const item: Item = { id: key, groups: [], score: value ?? 0 };
    answered.set(key, item);
    items.push(item);
  }
  if (answered.size === 0 || unknown > 19 * answered.size) throw wrongFile(file, answered.size, labels.size, "TextVQA");
  if (shapeless > 0)
    notes.push(`${count(shapeless, "answer")} of ${file.name} ${shapeless === 1 ? "has" : "have"} a prompt that is not LLaVA's for TextVQA and ${isAre(shapeless)} left out.`); // prettier-ignore
  if (unknown > 0)
    notes.push(`${count(unknown, "answer")} of ${file.name} ${isAre(unknown)} to no question of TextVQA and left out.`);
  const twice = items.length - answered.size;
  if (twice > 0)
    notes.push(`${count(twice, "answer")} of ${file.name} ${twice === 1 ? "repeats a question" : "repeat questions"}; ${strict ? "the last answer counts" : "each answer counts, as published"}.`); // prettier-ignore
  const missing = [...labels.keys()].filter((key) => !answered.has(key));
  if (missing.length > 0)
    notes.push(`${count(missing.length, "question")} of ${labels.size.toLocaleString("en")} ${missing.length === 1 ? "has" : "have"} no answer in ${file.name}: ${strict ? "counted as wrong" : "left out of the mean, as published"}.`); // prettier-ignore
  return {
    items: strict ? [...answered.values(), ...missing.map((id): Item => ({ id, groups: [], score: 0 }))] : items,
    notes,
    figures: (some) => percentFigures(some, "accuracy", []),
  };
}

/** The question in one of LLaVA's prompts, in lower case; undefined for another prompt. */
function questionOf(prompt: string): string | undefined {
  const lines = prompt.split("\n");
  if (prompt.startsWith("OCR tokens: ")) return /Question: (.*?) Short answer:/s.exec(prompt)?.[1]?.toLowerCase();
  if (prompt.includes("Reference OCR token: ") && lines.length === 3) {
    return (prompt.startsWith("Reference OCR token:") ? lines[1] : lines[0])?.toLowerCase();
  }
  return lines.length === 2 ? lines[0]?.toLowerCase() : undefined;
}
