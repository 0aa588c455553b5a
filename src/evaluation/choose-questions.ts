// Finds the question file among given files: a benchmark's by LLaVA's name for it, else one that holds questions. Knows no page.
import { benchmarks, custom } from "#eval/benchmarks/benchmarks.ts";
import type { Benchmark, Question } from "#eval/benchmarks/benchmark.ts";
import type { GivenFiles } from "#eval/files/given-files.ts";
import { withoutMark } from "#eval/files/json-lines.ts";
import { kindOf } from "#review/open.ts";

export interface ChosenQuestions {
  readonly benchmark: Benchmark;
  /** The file's name, and its text. */
  readonly name: string;
  readonly text: string;
  readonly questions: readonly Question[];
}

/** A larger file is no question file. */
const largestBytes = 400e6;

/** Undefined where no file holds questions; rejects with a sentence where one does, and is damaged. */
export async function chooseQuestions(files: GivenFiles): Promise<ChosenQuestions | undefined> {
  const nameOf = (path: string): string => path.replace(/^.*\//, "");
  for (const benchmark of benchmarks) {
    const names = (benchmark.splits ?? [""]).flatMap((split) => benchmark.questions(split)).map(nameOf);
    // Any file of one's own may have this name.
    for (const name of names.filter((one) => one !== "questions.jsonl" || benchmark.id !== "llava-bench")) {
      const found = files.find(name);
      if (found) return read(benchmark, name, await found.blob.text());
    }
  }
  for (const { path, blob } of files.all) {
    if (!/\.(jsonl?|tsv|ndjson|txt)$/i.test(path) || blob.size > largestBytes) continue;
    const text = await blob.text();
    const kind = kindOf(text);
    const mmbench = benchmarks.find(({ id }) => id === "mmbench");
    if (kind === "questions" || (kind === "table" && mmbench))
      return read(kind === "table" && mmbench ? mmbench : custom, nameOf(path), text);
  }
  return undefined;
}

/** Reads questions whose file is known. */
export function read(benchmark: Benchmark, name: string, text: string): ChosenQuestions {
  const split = benchmark.splits?.[0] ?? "";
  const questions = benchmark.parse(withoutMark(text), { split, allRounds: false });
  if (questions.length === 0) throw new Error(`The question file ${name} holds no questions.`);
  return { benchmark, name, text, questions };
}

/** The benchmark of that id. */
export function benchmarkOf(id: string): Benchmark {
  return benchmarks.find((one) => one.id === id) ?? custom;
}
