// LLaVA's question lines, {"question_id", "image", "text", "category"}: most benchmarks have theirs in this form, endings and all. Files of one's
// own may have right answers, too, under the names that benchmarks give them.
import * as v from "valibot";
import { parseJsonLines } from "#eval/files/json-lines.ts";
import { count, isAre } from "#eval/files/problems.ts";
import type { Question } from "./benchmark.ts";

const Line = v.looseObject({
  question_id: v.union([v.string(), v.number()]),
  image: v.optional(v.string()),
  text: v.string(),
  category: v.optional(v.unknown()),
});
const Right = v.union([v.string(), v.pipe(v.number(), v.transform(String))]);
const Rights = v.union([v.pipe(Right, v.transform((one) => [one])), v.array(Right)]); // prettier-ignore

/** The questions in the file's order. A question without a picture is asked without one. */
export function parseQuestionLines(text: string): Question[] {
  const { rows, broken, cut } = parseJsonLines(text);
  if (cut) throw new Error("The question file is cut off in its last line. Fetch it again, or cut that line off.");
  const strange = rows.filter(({ value }) => !v.is(Line, value)).map(({ line }) => line);
  const lines = [...broken, ...strange].sort((a, b) => a - b);
  if (lines.length > 0)
    throw new Error(
      `${count(lines.length, "line")} of ${(rows.length + broken.length).toLocaleString("en")} in the question file ${isAre(lines.length)} no question (the first is line ${lines[0] ?? 0}). ` +
        `One looks like {"question_id": 1, "image": "1.jpg", "text": "Is it red?"}.`,
    );
  return rows.map(({ value }): Question => {
    const line = v.parse(Line, value);
    const { question_id, image, text: asked, category } = line;
    const references = rightAnswers(line);
    return {
      id: question_id,
      text: asked,
      prompt: asked,
      picture: image === undefined || image === "" ? undefined : { kind: "file", path: image },
      ...(typeof category === "string" && category !== "" ? { category } : {}),
      ...(references.length > 0 ? { references } : {}),
    };
  });
}

function rightAnswers(line: Readonly<Record<string, unknown>>): readonly string[] {
  for (const field of ["answers", "answer", "label", "reference"]) {
    const parsed = v.safeParse(Rights, line[field]);
    if (parsed.success) return parsed.output;
  }
  return [];
}
