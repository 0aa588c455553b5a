// GQA: short answers about scenes. The share of answers that are the label, word for word.
import * as v from "valibot";
import type { AnswerFile } from "#eval/files/answers.ts";
import { need, readLabelFile } from "#eval/files/data-files.ts";
import { forAnswers, percentFigures, type Item, type Outcome, type Scorer } from "./outcome.ts";
import { pair } from "./pairing.ts";
import { normalizeAnswer } from "./normalize.ts";

const Question = v.object({
  answer: v.string(),
  isBalanced: v.optional(v.boolean(), true),
  types: v.optional(v.object({ structural: v.string() })),
});
type Question = v.InferOutput<typeof Question>;

export const gqa: Scorer = {
  id: "gqa",
  title: "GQA",
  folders: ["gqa"],
  repairs: ["answer and label are compared after VQA's normalizer: without articles, punctuation and other case"],
  async load(data) {
    const file = await need(
      data,
      ["data/testdev_balanced_questions.json", "data/questions1.2/testdev_balanced_questions.json", "testdev_balanced_questions.json"],
      "GQA's questions and labels",
      "GQA's download page has them in questions1.2.zip.",
    ); // prettier-ignore
    const questions = new Map(Object.entries(readLabelFile(v.record(v.string(), Question), file)));
    return forAnswers((answers, strict) => score(answers, questions, strict));
  },
};

function score(file: AnswerFile, all: ReadonlyMap<string, Question>, strict: boolean): Outcome {
  const questions = new Map([...all].filter(([, { isBalanced }]) => isBalanced));
  const { byId, notes } = pair(file, questions.keys(), "GQA", "counted as wrong");
  const items = [...questions].map(([id, { answer, types }]): Item => {
    const text = byId.get(id)?.text;
    const right = strict
      ? text !== undefined && normalizeAnswer(text, true) === normalizeAnswer(answer, true)
      : text !== undefined && gqaPrediction(text) === answer;
    const structural = types?.structural;
    const groups = structural === undefined ? [] : [structural === "query" ? "open" : "binary", structural];
    return { id, groups, score: right ? 1 : 0 };
  });
  const structural = [...new Set(items.flatMap(({ groups }) => groups.slice(1)))].sort();
  const kinds = items.some(({ groups }) => groups.length > 0) ? ["binary", "open", ...structural] : [];
  return { items, notes, figures: (some) => percentFigures(some, "accuracy", kinds) };
}

/** What LLaVA hands to GQA's own evaluation: lower case, without periods at the end. */
export function gqaPrediction(text: string): string {
  return text.replace(/\.+$/, "").toLowerCase();
}
