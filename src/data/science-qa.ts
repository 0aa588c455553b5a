// ScienceQA's problems as LLaVA's training samples, to the letter of LLaVA's converter (scripts/convert_sqa_to_llava.py), with its quirks.
import * as v from "valibot";
import { words as pythonWords } from "#eval/files/python.ts";
import { parsePythonJson } from "#formats/json.ts";

const Problem = v.object({
  question: v.string(),
  choices: v.array(v.string()),
  answer: v.pipe(v.number(), v.integer(), v.minValue(0)),
  hint: v.string(),
  lecture: v.string(),
  solution: v.string(),
  image: v.nullish(v.string()),
});
type Problem = v.InferOutput<typeof Problem>;

interface ScienceQaSample {
  readonly id: string;
  readonly image?: string;
  readonly conversations: readonly { readonly from: "human" | "gpt"; readonly value: string }[];
}

/** What goes into a question and an answer: question Q, context C, options M, lecture L, solution (explanation) E. */
interface Texts {
  readonly q: string;
  readonly c: string;
  readonly m: string;
  readonly l: string;
  readonly e: string;
  readonly a: string;
}

const inputs: Readonly<Record<string, (texts: Texts) => string>> = {
  CQM: ({ q, c, m }) => `Context: ${c}\nQuestion: ${q}\nOptions: ${m}\n`,
  QCM: ({ q, c, m }) => `Question: ${q}\nContext: ${c}\nOptions: ${m}\n`,
  QCML: ({ q, c, m, l }) => `Question: ${q}\nContext: ${c}\nOptions: ${m}\nBECAUSE: ${l}\n`,
  QCME: ({ q, c, m, e }) => `Question: ${q}\nContext: ${c}\nOptions: ${m}\nBECAUSE: ${e}\n`,
  QCMLE: ({ q, c, m, l, e }) => `Question: ${q}\nContext: ${c}\nOptions: ${m}\nBECAUSE: ${l} ${e}\n`,
  QCLM: ({ q, c, m, l }) => `Question: ${q}\nContext: ${c}\nBECAUSE: ${l}\nOptions: ${m}\n`,
  QCEM: ({ q, c, m, e }) => `Question: ${q}\nContext: ${c}\nBECAUSE: ${e}\nOptions: ${m}\n`,
  QCLEM: ({ q, c, m, l, e }) => `Question: ${q}\nContext: ${c}\nBECAUSE: ${l} ${e}\nOptions: ${m}\n`,
};

/** AL has the solution and AE the lecture, as LLaVA's converter has them. */
const outputs: Readonly<Record<string, (texts: Texts) => string>> = {
  A: ({ a }) => `Answer: The answer is ${a}.`,
  AL: ({ a, e }) => `Answer: The answer is ${a}. BECAUSE: ${e}`,
  AE: ({ a, l }) => `Answer: The answer is ${a}. BECAUSE: ${l}`,
  ALE: ({ a, l, e }) => `Answer: The answer is ${a}. BECAUSE: ${l} ${e}`,
  AEL: ({ a, l, e }) => `Answer: The answer is ${a}. BECAUSE: ${e} ${l}`,
  LA: ({ a, l }) => `Answer: ${l} The answer is ${a}.`,
  EA: ({ a, e }) => `Answer: ${e} The answer is ${a}.`,
  LEA: ({ a, l, e }) => `Answer: ${l} ${e} The answer is ${a}.`,
  ELA: ({ a, l, e }) => `Answer: ${e} ${l} The answer is ${a}.`,
  LEPA: ({ a, l, e }) =>
    `${isBlank(l) ? "" : `LECTURE: ${l}\n`}${isBlank(e) ? "" : `SOLUTION: ${e}\n`}###\nANSWER: ${a}.`,
};

const isBlank = (text: string): boolean => pythonWords(text).length === 0;
/** Python's strip(). */
const strip = (text: string): string => {
  const [first, last] = [pythonWords(text)[0], pythonWords(text).at(-1)];
  return first === undefined || last === undefined
    ? ""
    : text.slice(text.indexOf(first), text.lastIndexOf(last) + last.length);
};

/** What LLaVA's documents convert with; its converter's own default is QCM-LEPA. */
export const usualScienceQaFormat = "QCM-LEA";

const letters = ["A", "B", "C", "D", "E"];

/** The samples of a split, in its order. Throws a sentence that names the problem which does not fit. */
export function scienceQaSamples(problems: string, splits: string, split: string, format: string): ScienceQaSample[] {
  const all = v.safeParse(v.record(v.string(), v.unknown()), parsePythonJson(problems));
  if (!all.success)
    throw new Error("problems.json is no JSON object of problems; ScienceQA's repository has it under data/scienceqa");
  const parts = v.safeParse(v.record(v.string(), v.array(v.string())), parsePythonJson(splits));
  if (!parts.success)
    throw new Error(
      "pid_splits.json is no JSON object of lists of ids; ScienceQA's repository has it under data/scienceqa",
    );
  const ids = parts.output[split];
  if (ids === undefined)
    throw new Error(`pid_splits.json has no split "${split}"; it has ${Object.keys(parts.output).join(", ")}`);
  const [input, output] = format.split("-");
  const [ask, answer] = [inputs[input ?? ""], outputs[output ?? ""]];
  if (ask === undefined || answer === undefined)
    throw new Error(
      `there is no format "${format}"; before the dash is one of ${Object.keys(inputs).join(", ")}, behind it one of ${Object.keys(outputs).join(", ")}`,
    );
  return ids.map((id) => {
    const problem = v.safeParse(Problem, all.output[id]);
    if (!problem.success)
      throw new Error(
        `problem ${id} of the split ${split} is missing in problems.json or has other fields than ScienceQA's`,
      );
    return toSample(id, problem.output, ask, answer);
  });
}

function toSample(
  id: string,
  problem: Problem,
  ask: (texts: Texts) => string,
  answer: (texts: Texts) => string,
): ScienceQaSample {
  const { choices, image } = problem;
  const correct = letters[problem.answer];
  if (correct === undefined || choices.length > letters.length)
    throw new Error(`problem ${id} has more than five choices, and LLaVA's converter has letters for five`);
  // The converter takes line breaks out and in again, and with them a typed backslash and n.
  const unescaped = (text: string): string => text.replaceAll("\\n", "\n");
  const context = strip(`${problem.hint} `);
  const texts: Texts = {
    q: problem.question,
    c: context === "" ? "N/A" : context,
    m: choices.map((choice, at) => `(${letters[at] ?? ""}) ${choice}`).join(" "),
    l: unescaped(problem.lecture),
    e: unescaped(problem.solution),
    a: correct,
  };
  const question = without("Question: ", tidy(ask(texts)));
  const said = without("Answer: ", tidy(answer(texts)));
  const hasImage = image !== null && image !== undefined;
  return {
    id,
    ...(hasImage ? { image: `${id}/${image}` } : {}),
    conversations: [
      { from: "human", value: hasImage ? `${question}\n<image>` : question },
      { from: "gpt", value: said },
    ],
  };
}

/** Two spaces become one, once; an end without a reason goes. */
function tidy(text: string): string {
  const short = strip(text.replaceAll("  ", " "));
  return short.endsWith("BECAUSE:") ? strip(short.replaceAll("BECAUSE:", "")) : short;
}

/** The converter takes the word out everywhere if the text begins with it. */
const without = (start: string, text: string): string => (text.startsWith(start) ? text.replaceAll(start, "") : text);
