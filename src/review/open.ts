// Tells what a given file is by what is in it, and reads it as the command line does. Knows no page.
import * as v from "valibot";
import { parseJson } from "#formats/json.ts";
import type { Question } from "#eval/benchmarks/benchmark.ts";
import { parseQBench } from "#eval/benchmarks/q-bench.ts";
import { parseQuestionLines } from "#eval/benchmarks/question-lines.ts";
import { parseScienceQa } from "#eval/benchmarks/science-qa.ts";
import { parseAnswers, type AnswerFile } from "#eval/files/answers.ts";
import { parseJsonLines, withoutMark } from "#eval/files/json-lines.ts";
import { parseReviews, type ReviewFile } from "#eval/files/reviews.ts";
import { parseVoteFile, type VoteFile } from "./votes.ts";

/** A file that was read. */
export type Opened =
  | { readonly kind: "questions"; readonly name: string; readonly questions: readonly Question[] }
  | { readonly kind: "answers"; readonly name: string; readonly file: AnswerFile }
  | { readonly kind: "reviews"; readonly name: string; readonly file: ReviewFile }
  | { readonly kind: "votes"; readonly name: string; readonly file: VoteFile };

export type OpenedKind = Opened["kind"] | "unknown";

const Row = v.record(v.string(), v.unknown());

/** Rows that are looked at to tell what a file is. */
const lookedAt = 50;

/** What the text is. A line with an id and a text alone is taken for an answer: that is the least an answer file has. */
export function kindOf(text: string): OpenedKind | "table" {
  const plain = withoutMark(text).trimStart();
  if (/^index\t.*\bquestion\b/.test(plain)) return "table";
  const whole = plain.startsWith("[") ? parseJson(plain) : undefined;
  const isList = Array.isArray(whole);
  const rows = (isList ? whole.slice(0, lookedAt) : parseJsonLines(head(plain)).rows.map(({ value }) => value)).flatMap(
    (value: unknown) => {
      const parsed = v.safeParse(Row, value);
      return parsed.success ? [parsed.output] : [];
    },
  );
  const has = (...fields: readonly string[]): boolean =>
    rows.some((row) => fields.some((field) => row[field] !== undefined));
  if (rows.some(({ tuple, score }) => Array.isArray(tuple) || Array.isArray(score))) return "reviews";
  if (has("votes") || rows.some(({ type, state, models }) => type !== undefined && (state ?? models) !== undefined))
    return "votes";
  // The app's votes are one object over many lines.
  if (rows.length === 0 && /^\{\s*"version":\s*1,\s*"votes"/.test(plain)) return "votes";
  if (isList && has("conversations", "img_path")) return "questions";
  if (!has("question_id", "questionId")) return "unknown";
  if (isList || has("model_id", "answer_id", "prompt", "metadata", "prediction", "questionId")) return "answers";
  return has("image", "category", "label", "answers") ? "questions" : "answers";
}

/** The first lines, whole. */
function head(text: string): string {
  return text.split("\n", lookedAt).join("\n") + "\n";
}

/** Reads the file; undefined where it is none that this page knows. Rejects with a sentence where it is one, and damaged. */
export async function openText(text: string, name: string): Promise<Opened | undefined> {
  const kind = kindOf(text);
  switch (kind) {
    case "unknown":
      return undefined;
    case "table": {
      // The reader of tables is large, and few open one.
      const { parseMmbench } = await import("#eval/benchmarks/mmbench.ts");
      return { kind: "questions", name, questions: parseMmbench("en")(text, { split: "", allRounds: false }) };
    }
    case "questions":
      return { kind, name, questions: questionsOf(text) };
    case "answers":
      return { kind, name, file: parseAnswers(text, name) };
    case "reviews":
      return { kind, name, file: parseReviews(text, name) };
    case "votes": {
      const file = parseVoteFile(text, name);
      return file && { kind, name, file };
    }
  }
}

function questionsOf(text: string): readonly Question[] {
  const plain = withoutMark(text).trimStart();
  if (!plain.startsWith("[")) return parseQuestionLines(text);
  if (!plain.includes('"img_path"')) return parseScienceQa(plain);
  return parseQBench(/\p{Script=Han}/u.test(plain.slice(0, 4096)) ? "zh" : "en")(plain);
}
