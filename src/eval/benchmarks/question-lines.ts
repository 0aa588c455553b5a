// LLaVA's question lines, {"question_id", "image", "text", "category"}: most benchmarks have theirs in this form, endings and all. Files of one's
// own may have right answers, too, under the names that benchmarks give them.
import * as v from "valibot";
import { parseJsonLines } from "#eval/files/json-lines.ts";
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
  if (broken.length > 0 || cut)
    throw new Error(
      cut
        ? "The question file is cut off in its last line. Fetch it again, or cut that line off."
        : `Line ${broken[0] ?? 0} of the question file is no JSON.`,
    );
  return rows.map(({ value, line }): Question => {
    const parsed = v.safeParse(Line, value);
    if (!parsed.success)
      throw new Error(
        `Line ${line} of the question file is no question. One looks like {"question_id": 1, "image": "1.jpg", "text": "Is it red?"}.`,
      );
    const { question_id, image, text: asked, category } = parsed.output;
    const references = rightAnswers(parsed.output);
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
