// LLaVA's question lines, {"question_id", "image", "text", "category"}: most benchmarks have theirs in this form, endings and all.
import * as v from "valibot";
import { parseJsonLines } from "#eval/files/json-lines.ts";
import type { Question } from "./benchmark.ts";

const Line = v.object({
  question_id: v.union([v.string(), v.number()]),
  image: v.optional(v.string()),
  text: v.string(),
});

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
    const { question_id, image, text: asked } = parsed.output;
    return {
      id: question_id,
      text: asked,
      prompt: asked,
      picture: image === undefined || image === "" ? undefined : { kind: "file", path: image },
    };
  });
}
