// `llava data scienceqa`: ScienceQA's problems as LLaVA's training samples, as LLaVA's converter writes them.
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Option, type Command } from "commander";
import * as v from "valibot";
import { dumps } from "#eval/files/python.ts";
import { writeText } from "#data/output.node.ts";
import { scienceQaSamples, usualScienceQaFormat } from "#data/science-qa.ts";
import { givenPath } from "#cli/terminal/given-path.ts";
import { count } from "./data-files.ts";

const Flags = v.object({
  out: v.string(),
  split: v.string(),
  promptFormat: v.string(),
  force: v.optional(v.boolean(), false),
});

/** Adds `scienceqa` to `llava data`. */
export function addDataScienceQa(group: Command): void {
  group
    .command("scienceqa")
    .description("Write ScienceQA's problems as LLaVA's training data, byte for byte as LLaVA's converter does.")
    .argument("<folder>", "ScienceQA's data/scienceqa, with problems.json and pid_splits.json")
    .requiredOption("--out <file>", "the new file")
    .option("--split <name>", "train, val, test, trainval, minival or minitest", "train")
    .addOption(
      new Option(
        "--prompt-format <code>",
        "question and answer, such as QCM-LEA (C context, M choices, L lecture, E explanation, A answer)",
      ).default(usualScienceQaFormat),
    ) // prettier-ignore
    .option("--force", "replace the file if there is one")
    .action(async (name: string, raw: unknown) => {
      const flags = v.parse(Flags, raw);
      const folder = await givenPath(name);
      if (folder === undefined || !(await stat(folder)).isDirectory())
        throw new Error(`there is no folder ${name}; give ScienceQA's data/scienceqa, with problems.json and pid_splits.json`); // prettier-ignore
      const files = ["problems.json", "pid_splits.json"].map((file) => join(folder, file));
      const [problems = "", splits = ""] = await Promise.all(files.map(read));
      const samples = scienceQaSamples(problems, splits, flags.split, flags.promptFormat);
      await writeText(flags.out, dumps(samples, 2), { force: flags.force, inputs: files });
      const pictures = samples.filter(({ image }) => image !== undefined).length;
      process.stdout.write(`${count(samples.length, "conversation")} in ${flags.out}, ${pictures.toLocaleString("en")} with a picture (named from ScienceQA's images/${flags.split})\n`); // prettier-ignore
    });
}

const read = (path: string): Promise<string> =>
  readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(`${path} can't be read; ScienceQA's repository has it under data/scienceqa`, { cause });
  });
