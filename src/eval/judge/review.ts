// A review: what a judge is asked about two answers, in LLaVA's blocks, and the two scores that are read from its words. Knows no server.
import * as v from "valibot";
import { parseJsonLines } from "#eval/files/json-lines.ts";
import { count } from "#eval/files/problems.ts";
import { rules } from "./rules.ts";

export const judgeSystem = "You are a helpful and precise assistant for checking the quality of the answer.";

const Id = v.union([v.number(), v.string()]);
const QuestionLine = v.looseObject({ question_id: Id, text: v.string(), image: v.optional(v.string()), category: v.optional(v.string(), "default") }); // prettier-ignore
const AnswerLine = v.looseObject({ question_id: v.optional(Id), text: v.string(), answer_id: v.optional(Id) });
const Texts = v.union([v.string(), v.array(v.string())]);
const ContextLine = v.looseObject({
  image: v.string(),
  caption: v.optional(Texts),
  captions: v.optional(Texts),
  instances: v.optional(v.array(v.object({ category: v.string(), bbox: v.array(v.number()) }))),
});

/** What a judge is asked about one question. */
export interface ReviewTask {
  readonly questionId: string | number;
  readonly answerIds: readonly [reference: string | number, candidate: string | number];
  readonly category: string;
  /** The judge's message; with `swapped`, the candidate is Assistant 1. */
  content(swapped: boolean): string;
}

export interface ReviewFiles {
  readonly questions: string;
  /** Descriptions of pictures; absent for questions about none. */
  readonly context?: string | undefined;
  readonly reference: string;
  readonly candidate: string;
}

/**
 * The tasks in the order of the questions. LLaVA takes the i-th lines of all files together; here answers are found by their question's id, and by
 * their place where the reference has no ids. Throws a sentence where something is missing.
 */
export function reviewTasks(files: ReviewFiles): ReviewTask[] {
  const questions = linesOf(files.questions, QuestionLine, "question file");
  const pictures = new Map(
    (files.context === undefined ? [] : linesOf(files.context, ContextLine, "context file")).map((line) => [
      line.image,
      line,
    ]),
  );
  const references = answersTo(questions, files.reference, "reference answers");
  const candidates = answersTo(questions, files.candidate, "candidate's answers");
  return questions.map(({ question_id: id, text, image, category: given }, place): ReviewTask => {
    const [reference, candidate] = [references[place], candidates[place]];
    if (!reference || !candidate) throw new Error(`question ${id} has no two answers`);
    const picture = image === undefined ? undefined : pictures.get(image);
    if (files.context !== undefined && !picture) throw new Error(`The context file describes no picture ${image ?? "(the question names none)"}, about which question ${id} is.`); // prettier-ignore
    const category = picture && !picture.instances ? `llava_bench_${given}` : given;
    const rule = rules.get(category) ?? rules.get("default") ?? "";
    const contexts = picture === undefined ? "" : `[Context]\n${contextOf(picture)}\n\n`;
    return {
      questionId: id,
      answerIds: [reference.answer_id ?? id, candidate.answer_id ?? id],
      category,
      content(swapped) {
        const [one, two] = swapped ? [candidate.text, reference.text] : [reference.text, candidate.text];
        const answers = [one, two].map(
          (answer, i) => `[Assistant ${i + 1}]\n${answer}\n\n[End of Assistant ${i + 1}]\n\n`,
        );
        return `${contexts}[Question]\n${text}\n\n${answers.join("")}[System]\n${rule}\n\n`;
      },
    };
  });
}

function contextOf({ caption, captions, instances }: v.InferOutput<typeof ContextLine>): string {
  const sentences = [captions ?? caption ?? []].flat().join("\n");
  if (!instances) return sentences;
  return `${sentences}\n\n${instances.map(({ category, bbox }) => `${category}: [${bbox.join(", ")}]`).join("\n")}`;
}

function linesOf<T extends v.GenericSchema>(text: string, schema: T, what: string): v.InferOutput<T>[] {
  const { rows, broken, cut } = parseJsonLines(text);
  if (cut || broken.length > 0)
    throw new Error(
      `The ${what} is damaged: ${cut ? "its last line is cut off" : `line ${broken[0] ?? 0} is no JSON`}.`,
    );
  return rows.map(({ value, line }) => {
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return parsed.output;
    throw new Error(`Line ${line} of the ${what} lacks ${v.getDotPath(parsed.issues[0]) ?? "its fields"}.`);
  });
}

/** An answer for each question. Throws a sentence with counts where some have none, or where ids come twice. */
function answersTo(
  questions: readonly { readonly question_id: string | number }[],
  text: string,
  what: string,
): v.InferOutput<typeof AnswerLine>[] {
  const lines = linesOf(text, AnswerLine, what);
  const ids = lines.flatMap(({ question_id: id }) => (id === undefined ? [] : [String(id)]));
  const twice = ids.length - new Set(ids).size;
  if (twice > 0) throw new Error(`The ${what} have ${count(twice, "id")} twice. Leave one answer to each question.`);
  const byId = new Map(lines.map((line) => [String(line.question_id), line]));
  const found = questions.map(
    ({ question_id: id }, place) =>
      byId.get(String(id)) ?? (lines[place]?.question_id === undefined ? lines[place] : undefined),
  );
  const missing = questions.filter((_, place) => found[place] === undefined);
  if (missing.length > 0)
    throw new Error(
      missing.length === 1
        ? `The ${what} lack question ${missing[0]?.question_id ?? ""}.`
        : `The ${what} lack ${missing.length.toLocaleString("en")} of ${count(questions.length, "question")} (the first is ${missing[0]?.question_id ?? ""}).`,
    );
  return found.flatMap((line) => line ?? []);
}

/** The two scores of the judge's first line, as LLaVA reads them; [−1, −1] where there are not exactly two numbers. */
export function readScores(review: string): readonly [first: number, second: number] {
  const parts = (review.split("\n")[0] ?? "").replaceAll(",", " ").split(" ");
  const numbers = parts.map((part) => (/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(part) ? Number(part) : NaN));
  const [first = NaN, second = NaN] = numbers;
  return parts.length === 2 && Number.isFinite(first) && Number.isFinite(second) ? [first, second] : [-1, -1];
}
