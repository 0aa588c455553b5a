// MMBench's questions: a table with the pictures in it. The answer line's prompt lacks the ending that asks for the letter.
import { parse } from "csv-parse/sync";
import type { Question, QuestionOptions } from "./benchmark.ts";

const endings = {
  en: "Answer with the option's letter from the given choices directly.",
  cn: "请直接回答选项字母。",
} as const;
const letters = ["A", "B", "C", "D"];

/** Words that pandas, with which LLaVA reads the table, takes for no value. */
const missing = new Set([
  "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
]); // prettier-ignore

/** Whether LLaVA takes a cell for absent. */
const isAbsent = (cell: string | undefined): boolean =>
  cell === undefined || missing.has(cell) || ["nan", "none"].includes(cell.toLowerCase());

/** The table's rows by column. Throws a sentence where it is no table of MMBench. */
export function parseMmbenchTable(text: string): Record<string, string>[] {
  let rows: Record<string, string>[];
  try {
    rows = parse(text, {
      delimiter: "\t",
      columns: true,
      bom: true,
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
    });
  } catch (cause) {
    throw new Error(
      `The question file is no table with tabs: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    );
  }
  const lacking = ["index", "question", "A", "B", "image"].filter((column) => rows[0]?.[column] === undefined);
  if (lacking.length > 0)
    throw new Error(`The question file is no table of MMBench: it lacks the columns ${lacking.join(", ")}.`);
  return rows;
}

export const parseMmbench =
  (language: keyof typeof endings) =>
  (text: string, { allRounds }: QuestionOptions): Question[] =>
    parseMmbenchTable(text).flatMap((row): Question[] => {
      // Options end at the first empty one.
      const end = letters.findIndex((letter) => isAbsent(row[letter]));
      const options = letters.slice(0, end < 0 ? letters.length : end).map((letter) => row[letter] ?? "");
      const rounds = allRounds ? options.length : 1;
      return Array.from({ length: rounds }, (_, round) => questionOf(row, options, round, endings[language]));
    });

/** `round` options from the front stand at the end, under the same letters in their order. */
function questionOf(row: Record<string, string>, options: readonly string[], round: number, ending: string): Question {
  const turned = [...options.slice(round), ...options.slice(0, round)];
  const places = letters.slice(0, options.length);
  const hint = row["hint"];
  const head = isAbsent(hint) ? (row["question"] ?? "") : `${hint ?? ""}\n${row["question"] ?? ""}`;
  const prompt = [head, ...turned.map((option, i) => `${letters[i] ?? ""}. ${option}`)].join("\n");
  const index = row["index"] ?? "";
  return {
    id: /^\d+$/.test(index) ? Number(index) : index,
    text: `${prompt}\n${ending}`,
    prompt,
    picture: { kind: "bytes", base64: row["image"] ?? "" },
    afterId: { round_id: round },
    afterText: { options: turned, option_char: [...places.slice(round), ...places.slice(0, round)] },
  };
}
