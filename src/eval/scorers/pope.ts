// POPE: does the picture show this object? Yes or no, in three categories of how the absent objects were chosen.
import * as v from "valibot";
import type { Answer, AnswerFile } from "#eval/files/answers.ts";
import { fromEvalZip, need, readLabelLines } from "#eval/files/data-files.ts";
import { count } from "#eval/files/problems.ts";
import { forAnswers, inGroup, sizeOf, type Figure, type Item, type Outcome, type Scorer } from "./outcome.ts";
import { pair, wrongFile } from "./pairing.ts";

const Question = v.object({ question_id: v.union([v.number(), v.string()]), category: v.string() });
const Label = v.object({ label: v.string() });

interface Category {
  readonly name: string;
  /** Whether the object is there, in the order of the label file. */
  readonly labels: readonly boolean[];
}

/** Values of an item: whether the answer is yes, and whether the label is; NaN where the answer is beyond the labels. */
const [predicted, labelled] = [0, 1];

export const pope: Scorer = {
  id: "pope",
  title: "POPE",
  folders: ["pope"],
  repairs: [
    "answers meet labels by question id, not by their place in the file",
    "an answer is no if its first word is; else if it has the word no or not anywhere, in any case",
    "a question without an answer is wrong",
  ],
  async load(data) {
    const from = `Labels are POPE's output/coco: coco_pope_adversarial.json, coco_pope_popular.json, coco_pope_random.json.`;
    const names = (await data.list("coco")) ?? [];
    const files = names.filter((name) => /^coco_pope_.*\.json$/.test(name));
    if (files.length === 0)
      throw new Error(`POPE's labels are missing: there is no coco/coco_pope_….json in ${data.name}. ${from}`);
    const categories: Category[] = [];
    for (const file of files) {
      const found = await need(data, [`coco/${file}`], "POPE's labels", from);
      const labels = readLabelLines(Label, found).map(({ label }) => label !== "no");
      categories.push({ name: file.slice("coco_pope_".length, -".json".length), labels });
    }
    const found = await need(data, ["llava_pope_test.jsonl"], "POPE's questions", fromEvalZip);
    const questions = readLabelLines(Question, found);
    const categoryOf = new Map(questions.map(({ question_id, category }) => [String(question_id), category]));
    return forAnswers((answers, strict) =>
      strict ? scoreById(answers, categories, categoryOf) : scoreInOrder(answers, categories, categoryOf),
    );
  },
};

/** Answers and labels of a category by their places in the files, as published. */
function scoreInOrder(
  file: AnswerFile,
  categories: readonly Category[],
  categoryOf: ReadonlyMap<string, string>,
): Outcome {
  const { byId, notes: pairNotes } = pair(
    file,
    categoryOf.keys(),
    "POPE",
    "labels are paired by order, so they shift the rest",
  );
  if (byId.size === 0) throw wrongFile(file, 0, categoryOf.size, "POPE");
  const notes = [...pairNotes];
  const items: Item[] = [];
  for (const { name, labels } of categories) {
    const own = file.answers.filter(({ id }) => categoryOf.get(id) === name);
    if (own.length !== labels.length)
      notes.push(`${name}: ${count(own.length, "answer")}, ${count(labels.length, "label")}; they are paired by order, and what is beyond the shorter list is left out of all but the ratio of yes.`); // prettier-ignore
    items.push(...own.map((answer, i) => itemOf(answer, name, isYes(answer.text), labels[i])));
  }
  if (isOtherOrder(file.answers, categoryOf)) notes.push(`The answers of ${file.name} are not in the order of the questions, in which labels are paired; --strict pairs them by id.`); // prettier-ignore
  return { items, notes, figures: (some) => figures(some, categories) };
}

/** Answers and labels by the question's id. */
function scoreById(
  file: AnswerFile,
  categories: readonly Category[],
  categoryOf: ReadonlyMap<string, string>,
): Outcome {
  const { byId, notes } = pair(file, categoryOf.keys(), "POPE", "counted as wrong");
  const items: Item[] = [];
  const next = new Map<string, number>();
  for (const [id, category] of categoryOf) {
    const place = next.get(category) ?? 0;
    next.set(category, place + 1);
    const label = categories.find(({ name }) => name === category)?.labels[place];
    if (label === undefined) continue;
    const answer = byId.get(id);
    items.push(answer ? itemOf(answer, category, isYesStrictly(answer.text), label) : { id, groups: [category], score: 0, values: [label ? 0 : 1, label ? 1 : 0] }); // prettier-ignore
  }
  return { items, notes, figures: (some) => figures(some, categories) };
}

function itemOf({ id }: Answer, category: string, yes: boolean, label: boolean | undefined): Item {
  const values = [yes ? 1 : 0, label === undefined ? NaN : label ? 1 : 0];
  return { id, groups: [category], score: label === yes ? 1 : 0, values };
}

/** As published: the first sentence without commas, its words between single spaces. */
function isYes(text: string): boolean {
  const sentence = (text.split(".")[0] ?? "").replaceAll(",", "");
  const words = sentence.split(" ");
  return !["No", "not", "no"].some((word) => words.includes(word));
}

function isYesStrictly(text: string): boolean {
  const words = text.toLowerCase().match(/[a-z']+/g) ?? [];
  if (words[0] === "yes" || words[0] === "no") return words[0] === "yes";
  return !words.some((word) => word === "no" || word === "not" || word.endsWith("n't"));
}

function isOtherOrder(answers: readonly Answer[], categoryOf: ReadonlyMap<string, string>): boolean {
  const places = new Map([...categoryOf.keys()].map((id, i) => [id, i]));
  const last = new Map<string, number>();
  for (const { id } of answers) {
    const [category, place] = [categoryOf.get(id), places.get(id)];
    if (category === undefined || place === undefined) continue;
    if (place < (last.get(category) ?? -1)) return true;
    last.set(category, place);
  }
  return false;
}

function figures(items: readonly Item[], categories: readonly Category[]): Figure[] {
  const perCategory = categories.map(({ name }) => measures(inGroup(items, name), name));
  const f1 = perCategory.map(([first]) => first?.value ?? NaN);
  const mean = f1.reduce((sum, value) => sum + value, 0) / f1.length;
  return [{ name: "mean F1", value: mean, digits: 4, items: sizeOf(items) }, ...perCategory.flat()];
}

function measures(items: readonly Item[], name: string): Figure[] {
  const number = (yes: number, label: number): number =>
    sizeOf(items.filter(({ values }) => values?.[predicted] === yes && values[labelled] === label));
  const [tp, fp, tn, fn] = [number(1, 1), number(1, 0), number(0, 0), number(0, 1)];
  const precision = tp / (tp + fp);
  const recall = tp / (tp + fn);
  const yes = sizeOf(items.filter(({ values }) => values?.[predicted] === 1));
  const figure = (measure: string, value: number): Figure => ({
    name: `${name} ${measure}`,
    value,
    digits: 4,
    items: sizeOf(items),
  });
  return [
    figure("F1", (2 * precision * recall) / (precision + recall)),
    figure("accuracy", (tp + tn) / (tp + tn + fp + fn)),
    figure("precision", precision),
    figure("recall", recall),
    figure("yes ratio", yes / sizeOf(items)),
  ];
}
