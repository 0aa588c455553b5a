// Reads answer files: LLaVA's answer lines, and the lists that benchmark servers take. Says what is wrong with them in sentences with counts.
import * as v from "valibot";
import { parseJson } from "#formats/json.ts";
import { parseJsonLines, withoutMark } from "./json-lines.ts";
import { count, problemSentence, type FileProblem } from "./problems.ts";

const Id = v.union([v.string(), v.number()]);
const Line = v.looseObject({
  question_id: v.optional(Id),
  questionId: v.optional(Id),
  text: v.optional(v.string()),
  prediction: v.optional(v.string()),
  answer: v.optional(v.string()),
  prompt: v.optional(v.string()),
  answer_id: v.optional(Id),
  model_id: v.optional(v.string()),
  metadata: v.optional(v.unknown()),
});

export interface Answer {
  /** As text: some files write ids as numbers, others as strings. */
  readonly id: string;
  readonly prompt: string;
  readonly text: string;
  /** By which reviews name the answer. */
  readonly answerId?: string | undefined;
  /** What was written because there is no answer, such as that of a question whose picture is missing. */
  readonly error?: string | undefined;
}

export interface AnswerFile {
  readonly name: string;
  /** The model that the lines name; the file's name where they name none. */
  readonly model: string;
  /** In the file's order. */
  readonly answers: readonly Answer[];
  /** About lines that were left out, and questions that were not asked. */
  readonly problems: readonly FileProblem[];
  /** The problems as sentences. */
  readonly notes: readonly string[];
}

/** Parses an answer file. Throws an Error with a sentence where it holds no answers. */
export function parseAnswers(text: string, name: string): AnswerFile {
  const list = listOf(text);
  const { rows, broken, cut } = list === undefined ? parseJsonLines(text) : { rows: list, broken: [], cut: false };
  const problems: FileProblem[] = [];
  if (cut) problems.push({ kind: "cut", file: name });
  if (broken.length > 0) problems.push({ kind: "broken", file: name, count: broken.length, first: broken[0] ?? 0 });
  const answers: Answer[] = [];
  let model: string | undefined;
  const strange: number[] = [];
  for (const { value, line } of rows) {
    const parsed = v.safeParse(Line, value);
    const fields = parsed.success ? parsed.output : {};
    const id = fields.question_id ?? fields.questionId;
    const answer = fields.text ?? fields.prediction ?? fields.answer;
    if (id === undefined || answer === undefined) {
      strange.push(line);
      continue;
    }
    model ??= fields.model_id;
    answers.push({
      id: String(id),
      prompt: fields.prompt ?? "",
      text: answer,
      answerId: fields.answer_id === undefined ? undefined : String(fields.answer_id),
      error: errorOf(fields.metadata),
    });
  }
  if (answers.length === 0)
    throw new Error(
      `${name} holds no answers. An answer file has lines such as {"question_id": 1, "text": "yes"}; ` +
        `${rows.length === 0 ? "no line of this one is JSON" : `none of its ${count(rows.length, "line")} has a question_id with a text`}.`,
    );
  if (strange.length > 0)
    problems.push({ kind: "no-answer-fields", file: name, count: strange.length, first: strange[0] ?? 0 });
  const unasked = answers.filter(({ error }) => error !== undefined);
  if (unasked.length > 0)
    problems.push({ kind: "not-asked", file: name, count: unasked.length, reason: unasked[0]?.error ?? "" });
  return {
    name,
    model: model ?? stemOf(name),
    answers,
    problems,
    notes: problems.map(problemSentence),
  };
}

/** A file's name without its folder and its ending. */
export function stemOf(name: string): string {
  return name.replace(/^.*[/\\]/, "").replace(/\.\w+$/, "");
}

/** The rows of a file that is one JSON list, such as servers take. */
function listOf(text: string): { readonly value: unknown; readonly line: number }[] | undefined {
  const start = withoutMark(text).trimStart();
  if (!start.startsWith("[")) return undefined;
  const list = parseJson(start);
  return Array.isArray(list) ? list.map((value: unknown, i) => ({ value, line: i + 1 })) : undefined;
}

function errorOf(metadata: unknown): string | undefined {
  if (typeof metadata !== "object" || metadata === null || !("error" in metadata)) return undefined;
  return typeof metadata.error === "string" ? metadata.error : undefined;
}
