// ScienceQA: multiple choice over school subjects, some with a picture. The published figure is the accuracy of those with one ("IMG").
import * as v from "valibot";
import type { AnswerFile } from "#eval/files/answers.ts";
import { type DataFiles, need, readLabelFile } from "#eval/files/data-files.ts";
import { count } from "#eval/files/problems.ts";
import {
  forAnswers,
  inGroup,
  meanPercent,
  percentFigures,
  sizeOf,
  type Item,
  type Outcome,
  type Scorer,
} from "./outcome.ts";
import { pair } from "./pairing.ts";

const Problem = v.object({
  choices: v.array(v.string()),
  answer: v.number(),
  image: v.optional(v.nullable(v.string())),
  subject: v.optional(v.string(), ""),
});
type Problem = v.InferOutput<typeof Problem>;

export const options = ["A", "B", "C", "D", "E"];
const subjects: Readonly<Record<string, string>> = {
  "natural science": "natural science",
  "social science": "social science",
  "language science": "language science",
};
const picture = "IMG";
const from = "ScienceQA's repository has it under data/scienceqa.";

export const scienceQa: Scorer = {
  id: "scienceqa",
  title: "ScienceQA",
  folders: ["scienceqa"],
  repairs: [
    "a letter counts in lower case, in brackets and before any mark, and so does the choice's own words",
    "a question belongs to IMG because it has a picture, not because its prompt says so",
  ],
  async load(data) {
    const known = await readProblems(data);
    return forAnswers((answers, strict) => score(answers, known, strict));
  },
};

/** The problems of the test split in its order; throws a sentence where a file is missing. */
export async function readProblems(data: DataFiles): Promise<ReadonlyMap<string, Problem>> {
  const splits = await need(data, ["pid_splits.json"], "ScienceQA's splits", from);
  const problems = await need(data, ["problems.json"], "ScienceQA's problems", from);
  const test = readLabelFile(v.object({ test: v.array(v.string()) }), splits).test;
  const all = readLabelFile(v.record(v.string(), v.unknown()), problems);
  const known = test.map((id) => ({ id, problem: v.safeParse(Problem, all[id]) }));
  const lacking = known.filter(({ problem }) => !problem.success);
  if (lacking.length > 0)
    throw new Error(
      `${problems.path} lacks ${count(lacking.length, "problem")} of ${known.length.toLocaleString("en")}, or they have no choices and answer (the first is ${lacking[0]?.id ?? ""}).`,
    );
  return new Map(known.flatMap(({ id, problem }) => (problem.success ? [[id, problem.output]] : [])));
}

function score(file: AnswerFile, problems: ReadonlyMap<string, Problem>, strict: boolean): Outcome {
  const { byId, notes } = pair(file, problems.keys(), "ScienceQA", "counted as wrong");
  const items = [...problems].map(([id, problem]): Item => {
    const answer = byId.get(id);
    const chosen = answer === undefined ? -1 : strict ? choiceStrictly(answer.text, problem) : choice(answer.text, problem); // prettier-ignore
    const hasPicture = strict ? (problem.image ?? "") !== "" : (answer?.prompt ?? "").includes("<image>");
    const subject = subjects[problem.subject];
    return {
      id,
      score: chosen === problem.answer ? 1 : 0,
      groups: [...(hasPicture ? [picture] : []), ...(subject === undefined ? [] : [subject])],
    };
  });
  const failed = [...problems].filter(([id, problem]) => {
    const answer = byId.get(id);
    return answer !== undefined && (strict ? choiceStrictly(answer.text, problem) : choice(answer.text, problem)) < 0;
  }).length;
  const all = [...notes];
  if (failed > 0) all.push(`${failed.toLocaleString("en")} ${failed === 1 ? "answer names" : "answers name"} no choice and ${failed === 1 ? "is" : "are"} wrong.`); // prettier-ignore
  if (!strict && byId.size > 0 && inGroup(items, picture).length === 0)
    all.push(
      `No prompt of ${file.name} has <image>, by which the published scorer knows questions with a picture; --strict looks at the problems.`,
    );
  return {
    items,
    notes: all,
    figures: (some) => {
      const img = inGroup(some, picture);
      return [
        { name: "IMG accuracy", value: meanPercent(img), digits: 2, unit: "%", items: sizeOf(img) },
        ...percentFigures(some, "accuracy", Object.values(subjects)),
      ];
    },
  };
}

/** As published: a bare letter, a letter before ". ", or the only "The answer is X" and a character after it; undefined else. */
export function letterOf(text: string): string | undefined {
  if (options.includes(text)) return text;
  if (options.includes(text.slice(0, 1)) && text.slice(1, 3) === ". ") return text.slice(0, 1);
  const found = [...text.matchAll(/The answer is ([A-Z])[^\n]/g)];
  return found.length === 1 ? found[0]?.[1] : undefined;
}

/** The place of the answer's letter among the choices; −1 where it names none of them. */
export function choice(text: string, { choices }: Pick<Problem, "choices">): number {
  const letter = letterOf(text);
  return letter === undefined ? -1 : options.slice(0, choices.length).indexOf(letter);
}

function choiceStrictly(text: string, problem: Problem): number {
  const plain = text.trim();
  const letter =
    /^\(?([A-Ea-e])(?![A-Za-z'])/.exec(plain)?.[1] ?? /answer is:? \(?([A-Ea-e])(?![A-Za-z'])/i.exec(plain)?.[1];
  if (letter !== undefined) return options.slice(0, problem.choices.length).indexOf(letter.toUpperCase());
  const wanted = plain.toLowerCase().replace(/\.$/, "");
  return problem.choices.findIndex((words) => words.trim().toLowerCase().replace(/\.$/, "") === wanted);
}
