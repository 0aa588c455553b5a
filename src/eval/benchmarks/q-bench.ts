// Q-Bench's questions about the quality of pictures, in English and Chinese, as LLaVA's generator asked them before it was removed.
import * as v from "valibot";
import { parseJson } from "#formats/json.ts";
import type { Question } from "./benchmark.ts";

const Record = v.looseObject({ img_path: v.string(), question: v.string(), candidates: v.array(v.string()) });
const Rows = v.array(Record);

/** Before the options. The backslash in the Chinese one is the original's. */
const choose = {
  en: "\nChoose between one of the options as follows:\n",
  zh: "\\在下列选项中选择一个:\n",
} as const;
const letters = ["A.", "B.", "C.", "D."];

/** The records as they are. Throws a sentence where the text is none of Q-Bench's files. */
export function parseQBenchRecords(text: string): v.InferOutput<typeof Rows> {
  const parsed = v.safeParse(Rows, parseJson(text));
  if (!parsed.success)
    throw new Error("The question file is no list of Q-Bench's questions, {img_path, question, candidates}.");
  return parsed.output;
}

export const parseQBench =
  (language: keyof typeof choose) =>
  (text: string): Question[] =>
    parseQBenchRecords(text).map(({ img_path: path, question, candidates }): Question => {
      const options = letters.slice(0, candidates.length).map((letter, i) => `${letter} ${candidates[i] ?? ""}\n`);
      const asked = question + choose[language] + options.join("");
      return { id: path, text: asked, prompt: asked, picture: { kind: "file", path } };
    });
