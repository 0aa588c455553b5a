// `llava eval score`: figures of answer files, as the published scorers give them.
import { readFile, writeFile } from "node:fs/promises";
import { InvalidArgumentError, type Command } from "commander";
import * as v from "valibot";
import { dataFolder } from "#eval/files/data-folder.node.ts";
import { makeReport, toJson, toMarkdown, type ScoredFile } from "#eval/report/report.ts";
import { toTerminal } from "#eval/report/terminal.ts";
import type { Scorer } from "#eval/scorers/outcome.ts";
import { scorers } from "#eval/scorers/scorers.ts";

const Flags = v.object({
  answers: v.array(v.string()),
  data: v.optional(v.string()),
  json: v.optional(v.boolean(), false),
  markdown: v.optional(v.string()),
  strict: v.optional(v.boolean(), false),
  resamples: v.number(),
  seed: v.number(),
});

/** Adds `score` to `llava eval`. */
export function addEvalScore(group: Command): void {
  group
    .command("score")
    .description("Score answer files as the benchmark's published scorer does; several are shown side by side.")
    .argument("<benchmark>", scorers.map(({ id }) => id).join(", "))
    .requiredOption("--answers <file...>", "answer lines; grades for mm-vet, reviews for llava-bench")
    .option("--data <folder>", "the benchmark's labels, laid out as LLaVA's playground/data/eval")
    .option("--json", "the report as JSON on stdout")
    .option("--markdown <file>", "also write the report as Markdown")
    .option(
      "--strict",
      "also score with the published scorer's faults repaired, and say by how much that moves the figures",
    )
    .option("--resamples <n>", "bootstrap draws for the intervals; 0 for none", wholeNumber, 1000)
    .option("--seed <n>", "seed of the draws", wholeNumber, 1)
    .action(async (benchmark: string, raw: unknown) => {
      const flags = v.parse(Flags, raw);
      const scorer = scorerOf(benchmark);
      const folder = flags.data ?? (withoutLabels.has(scorer.id) ? "." : undefined);
      if (folder === undefined)
        throw new Error(
          `Say where ${scorer.title}'s labels are: --data FOLDER, laid out as LLaVA's playground/data/eval.`,
        );
      const labelled = await scorer.load(await dataFolder(folder, scorer.folders));
      const scored: ScoredFile[] = [];
      for (const name of flags.answers) {
        const text = await readText(name);
        const published = labelled.score({ name, text }, false);
        scored.push({ file: name, published, strict: flags.strict ? labelled.score({ name, text }, true) : undefined });
      }
      const report = makeReport(scorer, scored, { resamples: flags.resamples, seed: flags.seed });
      if (flags.markdown !== undefined) await writeFile(flags.markdown, toMarkdown(report));
      process.stdout.write(flags.json ? toJson(report) : toTerminal(report));
    });
}

/** Scored from files that have all it takes. */
const withoutLabels = new Set(["llava-bench", "mm-vet"]);

function scorerOf(name: string): Scorer {
  const found = scorers.find(({ id }) => id === name.toLowerCase());
  if (found) return found;
  throw new Error(`There is no scorer for "${name}". Benchmarks with one: ${scorers.map(({ id }) => id).join(", ")}.`);
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new Error(`The answer file ${file} can't be read. Check its path.`, { cause });
  });
}

function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
}
