// `llava data stats`: what conversations are like, as text, as JSON, or as a page.
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import * as v from "valibot";
import { createTokenizer } from "#engine/text/tokenizer.ts";
import { parseJson } from "#formats/json.ts";
import { hash64 } from "#data/hash.node.ts";
import { LeftOut, usableEntries } from "#data/left-out.ts";
import { writeText } from "#data/output.node.ts";
import { pictureState } from "#data/picture-state.ts";
import { statsHtml } from "#data/stats/stats-html.ts";
import { statsText } from "#data/stats/stats-text.ts";
import { Stats } from "#data/stats/stats.ts";
import { givenPath } from "#cli/terminal/given-path.ts";
import { openGiven, reading, tellLeftOut, wholeNumber } from "./data-files.ts";

const Flags = v.object({
  pictures: v.optional(v.boolean(), false),
  images: v.optional(v.string()),
  tokenizer: v.optional(v.string()),
  pictureTokens: v.number(),
  top: v.number(),
  json: v.optional(v.boolean(), false),
  html: v.optional(v.string()),
  force: v.optional(v.boolean(), false),
});

/** Adds `stats` to `llava data`. */
export function addDataStats(group: Command): void {
  group
    .command("stats")
    .description("Lengths, pictures, languages and beginnings of conversations.")
    .argument("<files...>", "conversations as JSON or lines of JSON (LLaVA, ShareGPT, OpenAI), or exports of llava-web")
    .option("--pictures", "also look at the picture files: formats and sizes")
    .option("--images <folder>", "where pictures are named from (default: the folder of each file)")
    .option("--tokenizer <folder>", "count tokens with the tokenizer.json of this folder")
    .option("--picture-tokens <n>", "tokens that a picture takes", wholeNumber, 576)
    .option("--top <n>", "how many beginnings and sizes are shown", wholeNumber, 15)
    .option("--json", "the figures as JSON")
    .option("--html <file>", "also write them as a page")
    .option("--force", "replace the page if there is one")
    .action(async (names: string[], raw: unknown) => stats(names, v.parse(Flags, raw)));
}

async function stats(names: readonly string[], flags: v.InferOutput<typeof Flags>): Promise<void> {
  const files = await openGiven(names, flags.images);
  const counted = new Stats({
    hash: hash64,
    countTokens: flags.tokenizer === undefined ? undefined : await tokenCounter(flags.tokenizer),
    tokensOfPicture: flags.pictureTokens,
    pictureState: flags.pictures ? ({ file }, ref) => pictureState(file, ref) : undefined,
    top: flags.top,
  });
  const leftOut = new LeftOut();
  const options = reading(files);
  for (const file of files) for await (const entry of usableEntries(file, leftOut, options)) await counted.add(entry);
  options.end();
  const report = counted.report(leftOut.notes("left out"));
  if (flags.html !== undefined) {
    const title = `Statistics of ${files.map(({ name }) => basename(name)).join(", ")}`;
    const inputs = files.map(({ path }) => path);
    await writeText(flags.html, statsHtml(title, report), { force: flags.force, inputs });
  }
  process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : statsText(report));
  tellLeftOut(leftOut, "left out");
}

/** Counts a text's tokens without those that every prompt begins with. */
async function tokenCounter(given: string): Promise<(text: string) => number> {
  const path = (await givenPath(given)) ?? given;
  const folder = path.endsWith("tokenizer.json") ? dirname(path) : path;
  const read = async (name: string): Promise<object> => {
    const text = await readFile(join(folder, name), "utf8").catch((cause: unknown) => {
      throw new Error(`there is no ${name} in ${given}; give the folder of a model to --tokenizer`, { cause });
    });
    const value = parseJson(text);
    if (typeof value !== "object" || value === null) throw new Error(`${name} in ${given} is no JSON object`);
    return value;
  };
  const tokenizer = createTokenizer(await read("tokenizer.json"), await read("tokenizer_config.json"));
  const none = tokenizer.encode("").length;
  return (text) => tokenizer.encode(tokenizer.defuse(text)).length - none;
}
