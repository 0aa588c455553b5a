// MM-Vet from the grades that its judge gave: the mean grade, also of each capability. Grades come from MM-Vet's own notebook or server.
import * as v from "valibot";
import { parseJson } from "#formats/json.ts";
import { stemOf } from "#eval/files/answers.ts";
import { readLabelFile } from "#eval/files/data-files.ts";
import { count } from "#eval/files/problems.ts";
import { withoutMark } from "#eval/files/json-lines.ts";
import {
  groupsOf,
  inGroup,
  sizeOf,
  sumOf,
  type Figure,
  type GivenFile,
  type Item,
  type ModelOutcome,
  type Scorer,
} from "./outcome.ts";

const Grades = v.record(v.string(), v.object({ score: v.array(v.number()) }));
const Samples = v.record(v.string(), v.object({ capability: v.array(v.string()) }));
type Samples = v.InferOutput<typeof Samples>;

export const mmVet: Scorer = {
  id: "mm-vet",
  title: "MM-Vet",
  folders: ["mm-vet", "mmvet"],
  repairs: ["a question without a grade is left out of the mean, not counted as 0"],
  async load(data) {
    const file = await data.find(["mm-vet.json"]);
    const samples = file && readLabelFile(Samples, file);
    return { score: (given, strict) => score(given, samples, strict) };
  },
};

function score({ name, text }: GivenFile, samples: Samples | undefined, strict: boolean): ModelOutcome {
  const parsed = v.safeParse(Grades, parseJson(withoutMark(text)));
  if (!parsed.success)
    throw new Error(
      `${name} holds no grades of MM-Vet. Its notebook or server gives them: {"v1_0": {"score": [0.5], …}, …}. ` +
        `To make the file that it grades, use llava eval submit mm-vet.`,
    );
  const grades = new Map(Object.entries(parsed.output).filter(([, { score: own }]) => own.length > 0));
  const ids = samples === undefined ? [...grades.keys()] : Object.keys(samples);
  const graded = ids.filter((id) => grades.has(id));
  if (graded.length === 0)
    throw new Error(`${name} grades none of the ${count(ids.length, "question")} of mm-vet.json.`);
  const notes: string[] = [];
  if (samples === undefined)
    notes.push("mm-vet.json is not in the data folder, so no capability is known and every graded question counts.");
  const missing = ids.length - graded.length;
  const unknown = grades.size - graded.length;
  if (missing > 0) notes.push(`${count(missing, "question")} of ${ids.length} ${missing === 1 ? "has" : "have"} no grade in ${name}: ${strict ? "left out" : "counted as 0, as published"}.`); // prettier-ignore
  if (unknown > 0)
    notes.push(
      `${count(unknown, "grade")} of ${name} ${unknown === 1 ? "is" : "are"} of no question of MM-Vet and left out.`,
    );
  const runs = [...new Set(graded.map((id) => grades.get(id)?.score.length ?? 0))];
  if (runs.length > 1) notes.push(`Questions have ${Math.min(...runs)} to ${Math.max(...runs)} grades; each question's mean counts.`); // prettier-ignore
  const items = (strict ? graded : ids).map((id): Item => {
    const own = grades.get(id)?.score ?? [0];
    return {
      id,
      groups: samples?.[id]?.capability ?? [],
      score: own.reduce((sum, grade) => sum + grade, 0) / own.length,
    };
  });
  const capabilities = groupsOf(items);
  return {
    model: stemOf(name),
    items,
    notes,
    figures: (some) => [figure("total", some), ...capabilities.map((group) => figure(group, inGroup(some, group)))],
  };
}

function figure(name: string, items: readonly Item[]): Figure {
  const mean = sumOf(items, ({ score: own }) => own) / sizeOf(items);
  return { name, value: mean * 100, digits: 1, items: sizeOf(items) };
}
