// The files that benchmark servers and other people's scorers take, as LLaVA's converters write them. Knows no file system.
import * as v from "valibot";
import { parseMmbenchTable } from "#eval/benchmarks/mmbench.ts";
import { parseQBenchRecords } from "#eval/benchmarks/q-bench.ts";
import { parseQuestionLines } from "#eval/benchmarks/question-lines.ts";
import { benchmarks } from "#eval/benchmarks/benchmarks.ts";
import type { Answer, AnswerFile } from "#eval/files/answers.ts";
import { type DataFiles, fromEvalZip, need, readLabelFile } from "#eval/files/data-files.ts";
import { dumps } from "#eval/files/python.ts";
import { count } from "#eval/files/problems.ts";
import { gqaPrediction } from "#eval/scorers/gqa.ts";
import { normalizeAnswer } from "#eval/scorers/normalize.ts";
import { mmeFiles, scienceQaFiles } from "./tool-files.ts";

/** A cell of a table; undefined is empty. */
type Cell = string | number | undefined;

/** A file to hand in: text, or a table of one sheet; or the several files of another tool, with what is added to the path. */
export type Submission = (
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "files"; readonly files: readonly { readonly suffix: string; readonly text: string }[] }
  | { readonly kind: "table"; readonly rows: readonly (readonly Cell[])[] }
) & {
  /** Sentences, with counts, about answers that are missing. */
  readonly notes: readonly string[];
};

interface Given {
  readonly answers: AnswerFile;
  readonly data: DataFiles;
  readonly split: string;
}

type Converter = (given: Given) => Promise<Submission>;

const converters: Readonly<Record<string, Converter>> = {
  vqav2: vqaList,
  vizwiz: vizwizList,
  gqa: gqaList,
  scienceqa: async ({ answers, data }) => ({ kind: "files", ...(await scienceQaFiles(answers, data)) }),
  mme: async ({ answers, data }) => ({ kind: "files", ...(await mmeFiles(answers, data)) }),
  mmbench: (given) => mmbenchTable(given, "mmbench_dev_20230712.tsv"),
  "mmbench-cn": (given) => mmbenchTable(given, "mmbench_dev_cn_20231003.tsv"),
  seed: seedLines,
  "mm-vet": mmVetObject,
  qbench: (given) => qBenchRecords(given, "qbench"),
  "qbench-cn": (given) => qBenchRecords(given, "qbench-cn"),
};

/** Benchmarks that have such a file. */
export const submittable: readonly string[] = Object.keys(converters);

/** The benchmark's file with these answers; throws a sentence where it has none, or where a file it needs is missing. */
export async function makeSubmission(benchmark: string, given: Given): Promise<Submission> {
  const convert = converters[benchmark];
  if (!convert)
    throw new Error(
      `${benchmark} is not handed in anywhere: score it here. Files are made for ${submittable.join(", ")}.`,
    );
  const made = await convert(given);
  return { ...made, notes: [...new Set([...given.answers.notes, ...made.notes])] };
}

/** The last answer to each question. */
const byId = ({ answers }: AnswerFile): ReadonlyMap<string, Answer> =>
  new Map(answers.map((answer) => [answer.id, answer]));

function missingNotes(ids: readonly string[], answers: ReadonlyMap<string, Answer>, name: string): string[] {
  const missing = ids.filter((id) => !answers.has(id)).length;
  if (missing === ids.length) throw new Error(`${name} answers none of the ${count(ids.length, "question")}. Check the benchmark's name, --answers and --data.`); // prettier-ignore
  return missing === 0 ? [] : [`${count(missing, "question")} of ${ids.length.toLocaleString("en")} ${missing === 1 ? "has" : "have"} no answer in ${name}: its answer is empty in the file.`]; // prettier-ignore
}

/** VQAv2: all questions of test2015, of which test-dev has a part; those without an answer are empty. */
async function vqaList({ answers, data }: Given): Promise<Submission> {
  const { text } = await need(data, ["llava_vqav2_mscoco_test2015.jsonl"], "The ids of VQAv2's test2015", fromEvalZip);
  const said = byId(answers);
  const rows = parseQuestionLines(text).map(({ id }) => {
    const answer = said.get(String(id));
    return { question_id: id, answer: answer ? normalizeAnswer(answer.text) : "" };
  });
  const unknown = answers.answers.length - rows.filter(({ question_id }) => said.has(String(question_id))).length;
  if (unknown === answers.answers.length) missingNotes(rows.map(({ question_id }) => String(question_id)), said, answers.name); // prettier-ignore
  return { kind: "text", text: dumps(rows), notes: [] };
}

async function vizwizList({ answers, data }: Given): Promise<Submission> {
  const { text } = await need(data, ["llava_test.jsonl"], "VizWiz's questions", fromEvalZip);
  const questions = parseQuestionLines(text);
  const said = byId(answers);
  const rows = questions.map(({ id, picture }) => ({
    image: picture?.kind === "file" ? picture.path : String(id),
    answer: normalizeAnswer(said.get(String(id))?.text ?? ""),
  }));
  return { kind: "text", text: dumps(rows), notes: missingNotes(questions.map(({ id }) => String(id)), said, answers.name) }; // prettier-ignore
}

/** GQA: for its own evaluation script, in the order of the answers. */
function gqaList({ answers }: Given): Promise<Submission> {
  const rows = answers.answers.map(({ id, text }) => ({ questionId: id, prediction: gqaPrediction(text) }));
  return Promise.resolve({ kind: "text", text: dumps(rows), notes: [] });
}

/** Columns of MMBench's table that the upload lacks, and where it has the prediction. */
const dropped = new Set(["hint", "category", "source", "image", "comment", "l2-category"]);
const predictionColumn = 6;

async function mmbenchTable({ answers, data }: Given, file: string): Promise<Submission> {
  const { text } = await need(data, [file], "MMBench's questions", "They are on MMBench's download page.");
  const table = parseMmbenchTable(text);
  const said = byId(answers);
  const columns = Object.keys(table[0] ?? {}).filter((column) => !dropped.has(column));
  const withPrediction = columns.toSpliced(predictionColumn, 0, "prediction");
  const cell = (row: Readonly<Record<string, string>>, column: string): Cell => {
    if (column === "prediction") return said.get(row["index"] ?? "")?.text;
    const value = row[column] ?? "";
    if (value === "") return undefined;
    return column === "index" && /^\d+$/.test(value) ? Number(value) : value;
  };
  const rows = table.map((row) => withPrediction.map((column) => cell(row, column)));
  const notes = missingNotes(table.map((row) => row["index"] ?? ""), said, answers.name); // prettier-ignore
  return { kind: "table", rows: [withPrediction, ...rows], notes };
}

const SeedIds = v.object({ questions: v.array(v.object({ question_id: v.union([v.string(), v.number()]) })) });

/** SEED-Bench: a line per question, in its own order. */
async function seedLines({ answers, data }: Given): Promise<Submission> {
  const file = await need(data, ["SEED-Bench.json"], "SEED-Bench's questions", "They come with SEED-Bench itself.");
  const { questions } = readLabelFile(SeedIds, file);
  const said = byId(answers);
  const lines = questions.map(({ question_id }) => `${dumps({ question_id, prediction: said.get(String(question_id))?.text ?? "" })}\n`); // prettier-ignore
  return { kind: "text", text: lines.join(""), notes: missingNotes(questions.map(({ question_id }) => String(question_id)), said, answers.name) }; // prettier-ignore
}

/** MM-Vet: what its notebook and its server grade. */
function mmVetObject({ answers }: Given): Promise<Submission> {
  const rows = Object.fromEntries(answers.answers.map(({ id, text }) => [`v1_${id}`, text]));
  return Promise.resolve({ kind: "text", text: dumps(rows, 2), notes: [] });
}

/** Q-Bench: its records with the response added, one after another without a line end, as the original appends them. */
async function qBenchRecords({ answers, data, split }: Given, id: string): Promise<Submission> {
  const benchmark = benchmarks.find((one) => one.id === id);
  const { text } = await need(data, benchmark?.questions(split) ?? [], "Q-Bench's questions", benchmark?.from ?? "");
  const records = parseQBenchRecords(text);
  const said = byId(answers);
  const responses = records.map((record) => dumps({ ...record, response: said.get(record.img_path)?.text ?? "" }));
  return { kind: "text", text: responses.join(""), notes: missingNotes(records.map(({ img_path }) => img_path), said, answers.name) }; // prettier-ignore
}
