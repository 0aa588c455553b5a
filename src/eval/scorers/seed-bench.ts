// SEED-Bench: multiple choice about pictures and about the middle frames of videos, in twelve types.
import * as v from "valibot";
import type { AnswerFile } from "#eval/files/answers.ts";
import { need, readLabelFile } from "#eval/files/data-files.ts";
import {
  forAnswers,
  inGroup,
  meanPercent,
  sizeOf,
  type Figure,
  type Item,
  type Outcome,
  type Scorer,
} from "./outcome.ts";
import { pair } from "./pairing.ts";

const Questions = v.object({
  questions: v.array(
    v.object({
      question_id: v.union([v.string(), v.number()]),
      question_type_id: v.number(),
      data_type: v.string(),
      answer: v.string(),
    }),
  ),
  question_type: v.record(v.string(), v.number()),
});
type Questions = v.InferOutput<typeof Questions>;

export const seedBench: Scorer = {
  id: "seed",
  title: "SEED-Bench",
  folders: ["seed_bench"],
  repairs: ["a letter counts before any mark and in lower case, not only if the answer is nothing else"],
  async load(data) {
    const from = "It comes with SEED-Bench itself.";
    const file = await need(data, ["SEED-Bench.json"], "SEED-Bench's questions and labels", from);
    const questions = readLabelFile(Questions, file);
    return forAnswers((answers, strict) => score(answers, questions, strict));
  },
};

function score(file: AnswerFile, { questions, question_type: types }: Questions, strict: boolean): Outcome {
  const ids = questions.map(({ question_id }) => idOf(question_id));
  const { byId, notes } = pair({ ...file, answers: file.answers.map((answer) => ({ ...answer, id: idOf(answer.id) })) }, ids, "SEED-Bench", "counted as wrong"); // prettier-ignore
  const items = questions.map(({ question_type_id, data_type, answer }, i): Item => {
    const text = byId.get(ids[i] ?? "")?.text;
    const letter = strict ? /^\s*\(?([A-Da-d])(?![A-Za-z'])/.exec(text ?? "")?.[1]?.toUpperCase() : text;
    return { id: ids[i] ?? "", groups: [data_type, String(question_type_id)], score: letter === answer ? 1 : 0 };
  });
  const named = Object.entries(types).sort((a, b) => a[1] - b[1]);
  const figure = (name: string, some: readonly Item[]): Figure => ({
    name,
    value: meanPercent(some),
    digits: 2,
    unit: "%",
    items: sizeOf(some),
  });
  return {
    items,
    notes,
    figures: (some) => [
      figure("image", inGroup(some, "image")),
      figure("video", inGroup(some, "video")),
      figure("total", some),
      ...named.flatMap(([name, id]) => {
        const own = inGroup(some, String(id));
        return own.length === 0 ? [] : [figure(name, own)];
      }),
    ],
  };
}

/** Python's int() of an id, where it is one: "007" and 7 are the same question. */
const idOf = (id: string | number): string => (/^\s*[+-]?\d+\s*$/.test(String(id)) ? String(Number(id)) : String(id));
