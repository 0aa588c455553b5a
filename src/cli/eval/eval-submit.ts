// `llava eval submit`: the file that a benchmark's server takes, from answer lines.
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import * as v from "valibot";
import { benchmarks } from "#eval/benchmarks/benchmarks.ts";
import { parseAnswers } from "#eval/files/answers.ts";
import { dataFolder } from "#eval/files/data-folder.node.ts";
import { makeSubmission, submittable } from "#eval/submit/submissions.ts";
import { writeSubmission } from "#eval/submit/write-submission.node.ts";

const Flags = v.object({
  answers: v.string(),
  data: v.optional(v.string(), "."),
  out: v.string(),
  split: v.optional(v.string(), "dev"),
});

/** Adds `submit` to `llava eval`. */
export function addEvalSubmit(group: Command): void {
  group
    .command("submit")
    .description("Make the file that a benchmark's server takes, as LLaVA's converters write it.")
    .argument("<benchmark>", submittable.join(", "))
    .requiredOption("--answers <file>", "answer lines")
    .option("--data <folder>", "the benchmark's files, laid out as LLaVA's playground/data/eval")
    .requiredOption("--out <file>", "the file to hand in (xlsx for MMBench)")
    .option("--split <name>", "dev or test of Q-Bench")
    .action(async (benchmark: string, raw: unknown) => {
      const flags = v.parse(Flags, raw);
      await submit(benchmark.toLowerCase(), flags);
    });
}

/** Writes the file, and what does not fit to stderr. */
export async function submit(
  benchmark: string,
  { answers, data, out, split }: v.InferOutput<typeof Flags>,
): Promise<void> {
  const text = await readFile(answers, "utf8").catch((cause: unknown) => {
    throw new Error(`The answer file ${answers} can't be read. Check its path.`, { cause });
  });
  const folders = benchmarks.find(({ id }) => id === benchmark)?.folders ?? [];
  const made = await makeSubmission(benchmark, {
    answers: parseAnswers(text, answers),
    data: await dataFolder(data, folders),
    split,
  });
  for (const note of made.notes) process.stderr.write(`${note}\n`);
  await writeSubmission(made, out);
}
