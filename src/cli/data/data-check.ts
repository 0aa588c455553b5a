// `llava data check`: what in conversations would break or spoil training. Ends with exit code 1 where there is an error.
import type { Command } from "commander";
import * as v from "valibot";
import { Checker, type CheckReport } from "#data/check/check.ts";
import { checkText } from "#data/check/check-text.ts";
import { readEntries } from "#data/data-file.ts";
import { hash64 } from "#data/hash.node.ts";
import { pictureState } from "#data/picture-state.ts";
import { openGiven, reading, wholeNumber } from "./data-files.ts";

const Flags = v.object({
  pictures: v.boolean(),
  images: v.optional(v.string()),
  longestAnswer: v.number(),
  examples: v.number(),
  json: v.optional(v.boolean(), false),
});

/** Adds `check` to `llava data`. */
export function addDataCheck(group: Command): void {
  group
    .command("check")
    .description("Find what would break or spoil training; exit code 1 where there is an error.")
    .argument("<files...>", "conversations as JSON or lines of JSON (LLaVA, ShareGPT, OpenAI), or exports of llava-web")
    .option("--images <folder>", "where pictures are named from (default: the folder of each file)")
    .option("--no-pictures", "leave the picture files alone")
    .option("--longest-answer <words>", "answers above this are told", wholeNumber, 1000)
    .option("--examples <n>", "examples shown of each kind", wholeNumber, 3)
    .option("--json", "the report as JSON")
    .action(async (names: string[], raw: unknown) => {
      const flags = v.parse(Flags, raw);
      const report = await check(names, flags);
      process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : checkText(report));
      if (report.errors > 0) process.exitCode = 1;
    });
}

async function check(names: readonly string[], flags: v.InferOutput<typeof Flags>): Promise<CheckReport> {
  const files = await openGiven(names, flags.images);
  const checker = new Checker({
    hash: hash64,
    longestAnswer: flags.longestAnswer,
    examples: flags.examples,
    pictureFault: flags.pictures ? async ({ file }, ref) => (await pictureState(file, ref)).fault : undefined,
  });
  const options = reading(files);
  for (const file of files) for await (const entry of readEntries(file, options)) await checker.add(entry);
  options.end();
  return checker.report();
}
