// VQAv2 and VizWiz where their annotations are at hand (validation): the soft accuracy of their evaluation code. Test sets are scored by servers alone.
import * as v from "valibot";
import type { AnswerFile } from "#eval/files/answers.ts";
import { need, readLabelFile } from "#eval/files/data-files.ts";
import { normalizeAnswer, normalizePunctuation, normalizeWords } from "./normalize.ts";
import { forAnswers, groupsOf, percentFigures, type Item, type Outcome, type Scorer } from "./outcome.ts";
import { pair } from "./pairing.ts";
import { softScores } from "./soft-accuracy.ts";

const People = v.array(v.object({ answer: v.string() }));
const VqaAnnotations = v.object({
  annotations: v.array(
    v.object({ question_id: v.union([v.number(), v.string()]), answers: People, answer_type: v.optional(v.string()) }),
  ),
});
const VizWizAnnotations = v.array(
  v.object({ image: v.string(), answers: v.optional(People), answer_type: v.optional(v.string()) }),
);

/** People's answers to a question, and its type. */
interface Question {
  readonly id: string;
  readonly answers: readonly string[];
  readonly type: string | undefined;
}

const repairs = ["the normalizer keeps a period with a digit on either side, and removes all others, not the first 32"];
const server = "The test set's answers are with the evaluation server alone: make the file for it with --submit.";

export const vqav2: Scorer = {
  id: "vqav2",
  title: "VQAv2",
  folders: ["vqav2"],
  repairs,
  async load(data) {
    const file = await need(data, ["v2_mscoco_val2014_annotations.json"], "VQAv2's annotations", `They are on VQA's download page. ${server}`); // prettier-ignore
    const { annotations } = readLabelFile(VqaAnnotations, file);
    const questions = annotations.map(({ question_id, answers, answer_type }): Question => ({
      id: String(question_id),
      answers: answers.map(({ answer }) => answer),
      type: answer_type,
    }));
    return forAnswers((answers, strict) => score(answers, questions, "VQAv2", strict));
  },
};

export const vizwiz: Scorer = {
  id: "vizwiz",
  title: "VizWiz",
  folders: ["vizwiz"],
  repairs,
  async load(data) {
    const file = await need(data, ["val.json", "annotations/val.json"], "VizWiz's annotations", `They are on VizWiz's page. ${server}`); // prettier-ignore
    const questions = readLabelFile(VizWizAnnotations, file).flatMap(({ image, answers, answer_type }): Question[] =>
      answers === undefined ? [] : [{ id: image, answers: answers.map(({ answer }) => answer), type: answer_type }],
    );
    if (questions.length === 0) throw new Error(`The annotations of VizWiz have no answers. ${server}`);
    return forAnswers((answers, strict) => score(answers, questions, "VizWiz", strict));
  },
};

function score(file: AnswerFile, questions: readonly Question[], title: string, strict: boolean): Outcome {
  const { byId, notes } = pair(file, questions.map(({ id }) => id), title, "counted as wrong"); // prettier-ignore
  const items = questions.map(({ id, answers, type }): Item => {
    const answer = byId.get(id);
    const value = answer && softScores(peopleAnswers(answers, strict)).get(submitted(answer.text, strict));
    return { id, groups: type === undefined ? [] : [type], score: value ?? 0 };
  });
  return { items, notes, figures: (some) => percentFigures(some, "accuracy", groupsOf(items).sort()) };
}

/** LLaVA normalizes before it submits, and the evaluation does so again. */
function submitted(text: string, strict: boolean): string {
  return normalizeWords(normalizePunctuation(normalizeAnswer(text, strict), strict));
}

/** As the evaluation code: the punctuation of people's answers is normalized only where they do not all agree. */
function peopleAnswers(answers: readonly string[], strict: boolean): string[] {
  const agree = new Set(answers).size === 1;
  return answers.map((answer) => (agree ? answer : normalizePunctuation(answer, strict)));
}
