// MME: two yes-or-no questions about each picture in 14 tasks. A task's score is its accuracy plus the share of pictures with both answers right.
import type { Answer, AnswerFile } from "#eval/files/answers.ts";
import { need, type DataFiles } from "#eval/files/data-files.ts";
import { withoutMark } from "#eval/files/json-lines.ts";
import { count } from "#eval/files/problems.ts";
import { forAnswers, inGroup, sizeOf, sumOf, type Figure, type Item, type Outcome, type Scorer } from "./outcome.ts";
import { wrongFile } from "./pairing.ts";

const perception = ["existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR"]; // prettier-ignore
const cognition = ["commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning"];
const release = "MME_Benchmark_release_version";
const from = `It is MME's own download; LLaVA expects it as ${release}.`;

/** The right answer in the files' words, "Yes" or "No", by task, file and question. */
type Labels = ReadonlyMap<string, string>;

const isYes = (label: string | undefined): boolean => label?.toLowerCase() === "yes";

export const mme: Scorer = {
  id: "mme",
  title: "MME",
  folders: ["MME", "mme"],
  repairs: [
    "the two questions of a picture are brought together by its name, not by their places in the file",
    "an answer is its first word yes or no, not what its first four characters contain",
    "a question without an answer is wrong",
  ],
  async load(data) {
    const labels = await readLabels(data);
    return forAnswers((answers, strict) => score(answers, labels, strict));
  },
};

const keyOf = (task: string, file: string, question: string): string => `${task}\t${file}\t${question}`;

/** Reads all labels; throws a sentence where there are none. */
export async function readLabels(data: DataFiles): Promise<Labels> {
  const labels = new Map<string, string>();
  for (const task of [...perception, ...cognition]) {
    for (const folder of [`${release}/${task}/questions_answers_YN`, `${release}/${task}`]) {
      const files = ((await data.list(folder)) ?? []).filter((name) => name.endsWith(".txt"));
      for (const file of files)
        addLabels(labels, task, file, (await need(data, [`${folder}/${file}`], "MME's labels", from)).text);
      if (files.length > 0) break;
    }
    // The evaluation tool's own copy has all labels of a task in one file.
    const own = await data.find([`eval_tool/Your_Results/${task}.txt`, `eval_tool/LaVIN/${task}.txt`]);
    for (const line of lines(own?.text ?? "")) {
      const [file, question, label] = line.split("\t");
      if (file === undefined || question === undefined || label === undefined) continue;
      const key = keyOf(task, `${file.split(".")[0] ?? ""}.txt`, question);
      if (!labels.has(key)) labels.set(key, label.trim());
    }
  }
  if (labels.size > 0) return labels;
  throw new Error(
    `MME's labels are missing: there are no texts of questions and answers under ${release} in ${data.name}. ${from}`,
  );
}

function addLabels(labels: Map<string, string>, task: string, file: string, text: string): void {
  for (const line of lines(text)) {
    const [question, label] = line.split("\t");
    if (question !== undefined && label !== undefined) labels.set(keyOf(task, file, question), label.trim());
  }
}

const lines = (text: string): string[] => withoutMark(text).split("\n").map((line) => line.trim()).filter((line) => line !== ""); // prettier-ignore

/** An answer with its label. */
interface Marked {
  readonly task: string;
  readonly file: string;
  readonly right: boolean;
}

function score(file: AnswerFile, labels: Labels, strict: boolean): Outcome {
  const notes = [...file.notes];
  const marked: Marked[] = [];
  const answered = new Set<string>();
  let [unknown, other] = [0, 0];
  for (const answer of file.answers) {
    const key = keyFor(answer, labels);
    if (key === undefined) {
      unknown++;
      continue;
    }
    const said = strict ? firstWord(answer.text) : firstCharacters(answer.text);
    if (said === undefined) other++;
    if (strict && answered.has(key)) continue;
    answered.add(key);
    const [task = "", name = ""] = key.split("\t");
    marked.push({ task, file: name, right: said === isYes(labels.get(key)) });
  }
  if (marked.length === 0 || unknown > 19 * marked.length) throw wrongFile(file, marked.length, labels.size, "MME");
  const missing = [...labels.keys()].filter((key) => !answered.has(key));
  if (unknown > 0) notes.push(`${count(unknown, "answer")} of ${file.name} ${unknown === 1 ? "has" : "have"} no label in MME's files and ${unknown === 1 ? "is" : "are"} left out.`); // prettier-ignore
  if (other > 0) notes.push(`${count(other, "answer")} ${other === 1 ? "is" : "are"} neither yes nor no, and wrong.`);
  if (missing.length > 0) notes.push(`${count(missing.length, "question")} of ${labels.size.toLocaleString("en")} ${missing.length === 1 ? "has" : "have"} no answer in ${file.name}: ${strict ? "counted as wrong" : "left out, as published"}.`); // prettier-ignore
  if (strict) marked.push(...missing.map((key): Marked => ({ task: key.split("\t")[0] ?? "", file: key.split("\t")[1] ?? "", right: false }))); // prettier-ignore
  const items = strict ? byPicture(marked) : byPlace(marked, notes);
  return { items, notes, figures };
}

/** The key of the label, "task<TAB>file<TAB>question": the question with the ending that the benchmark's own texts have. */
export function keyFor({ id, prompt }: Answer, labels: Labels): string | undefined {
  const task = id.split("/")[0] ?? "";
  const file = `${(id.split("/").at(-1) ?? "").split(".")[0] ?? ""}.txt`;
  const ending = "Answer the question using a single word or phrase.";
  const own = "Please answer yes or no.";
  let question = prompt.includes(ending) ? prompt.replaceAll(ending, "").trim() : prompt;
  if (!question.includes(own)) {
    question = `${question} ${own}`;
    // Some of the benchmark's texts have two spaces there.
    if (!labels.has(keyOf(task, file, question))) question = question.replace(` ${own}`, `  ${own}`);
  }
  const key = keyOf(task, file, question);
  return labels.has(key) ? key : undefined;
}

/** As published: yes or no within the first four characters; undefined for neither. */
function firstCharacters(text: string): boolean | undefined {
  const start = text.toLowerCase().slice(0, 4);
  if (start.includes("yes")) return true;
  return start.includes("no") ? false : undefined;
}

function firstWord(text: string): boolean | undefined {
  const word = /[a-z]+/i.exec(text)?.[0].toLowerCase();
  if (word === "yes") return true;
  return word === "no" ? false : undefined;
}

/** Each two answers of a task that follow each other are of one picture, as published. */
function byPlace(marked: readonly Marked[], notes: string[]): Item[] {
  const items: Item[] = [];
  let split = 0;
  for (const task of [...perception, ...cognition]) {
    const own = marked.filter((answer) => answer.task === task);
    if (own.length % 2 === 1)
      notes.push(`${task} has ${count(own.length, "answer")}, an odd number; the last one has no partner.`);
    for (let i = 0; i < own.length; i += 2) {
      const two = own.slice(i, i + 2);
      if (two.length === 2 && two[0]?.file !== two[1]?.file) split++;
      items.push(itemOf(`${task}/${two[0]?.file ?? ""}/${i}`, task, two));
    }
  }
  if (split > 0) notes.push(`${count(split, "pair")} of answers that follow each other ${split === 1 ? "is" : "are"} about different pictures; --strict brings them together by name.`); // prettier-ignore
  return items;
}

function byPicture(marked: readonly Marked[]): Item[] {
  const pictures = new Map<string, Marked[]>();
  for (const answer of marked) {
    const key = `${answer.task}/${answer.file}`;
    pictures.set(key, [...(pictures.get(key) ?? []), answer]);
  }
  return [...pictures].map(([key, answers]) => itemOf(key, answers[0]?.task ?? "", answers));
}

/** Score: the share of a picture's questions that are right. Values: right ones, questions, and whether it has two that are right. */
function itemOf(id: string, task: string, answers: readonly Marked[]): Item {
  const right = answers.filter((answer) => answer.right).length;
  return { id, groups: [task], score: right / answers.length, values: [right, answers.length, right === 2 ? 1 : 0] };
}

function figures(items: readonly Item[]): Figure[] {
  const tasks = [...perception, ...cognition].flatMap((name): Figure[] => {
    const own = inGroup(items, name);
    if (own.length === 0) return [];
    const sum = (i: number): number => sumOf(own, ({ values }) => values?.[i] ?? 0);
    return [{ name, value: (sum(0) / sum(1)) * 100 + (sum(2) / sizeOf(own)) * 100, digits: 2, items: sum(1) }];
  });
  const total = (name: string, members: readonly string[]): Figure => {
    const own = tasks.filter((task) => members.includes(task.name));
    const value = own.reduce((sum, task) => sum + task.value, 0);
    return {
      name,
      value: own.length === 0 ? NaN : value,
      digits: 2,
      items: own.reduce((sum, task) => sum + task.items, 0),
    };
  };
  return [total("perception", perception), total("cognition", cognition), ...tasks];
}
