// `llava data`: what people do with conversations before they train on them.
import type { Command } from "commander";
import { addDataCheck } from "./data-check.ts";
import { addDataConvert } from "./data-convert.ts";
import { addDataMerge } from "./data-merge.ts";
import { addDataScienceQa } from "./data-science-qa.ts";
import { addDataSplit } from "./data-split.ts";
import { addDataStats } from "./data-stats.ts";

/** Adds `data` with its own commands to the program. */
export function addData(program: Command): void {
  const group = program
    .command("data")
    .description("Conversations for training: check, stats, split, merge, convert, scienceqa.");
  for (const add of [addDataCheck, addDataStats, addDataSplit, addDataMerge, addDataConvert, addDataScienceQa])
    add(group);
}
