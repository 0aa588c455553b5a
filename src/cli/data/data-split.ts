// `llava data split`: conversations into parts, such as train and val; the same conversation lands in the same part whenever it is run.
import { mkdir } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Command } from "commander";
import * as v from "valibot";
import { contentKey } from "#data/content-key.ts";
import type { DataFile } from "#data/data-file.ts";
import { hash64 } from "#data/hash.node.ts";
import { LeftOut, usableEntries } from "#data/left-out.ts";
import { openRecords, type RecordFile } from "#data/output.node.ts";
import { drawOf, partAt, PictureGroups, type Part } from "#data/split/split.ts";
import { count, openGiven, reading, refuseZip, several, tellLeftOut, wholeNumber } from "./data-files.ts";

const Flags = v.object({
  out: v.string(),
  part: v.array(v.string()),
  by: v.picklist(["picture", "conversation"], 'give "picture" or "conversation" to --by'),
  seed: v.number(),
  force: v.optional(v.boolean(), false),
});

/** Adds `split` to `llava data`. */
export function addDataSplit(group: Command): void {
  group
    .command("split")
    .description("Split conversations into parts by a hash; what shows one picture stays together.")
    .argument("<file>", "conversations as JSON or lines of JSON (LLaVA, ShareGPT, OpenAI), or an export of llava-web")
    .requiredOption("--out <folder>", "where the parts are written, each as NAME.json or NAME.jsonl like the file")
    .requiredOption("--part <name=share>", "a part and its share of the whole; several times", several, [])
    .option("--by <what>", "what stays together: picture or conversation (the same words and pictures)", "picture")
    .option("--seed <n>", "another number splits otherwise", wholeNumber, 0)
    .option("--force", "replace parts that are there")
    .action(async (name: string, raw: unknown) => split(name, v.parse(Flags, raw)));
}

async function split(name: string, flags: v.InferOutput<typeof Flags>): Promise<void> {
  const parts = parseParts(flags.part);
  const [file] = await openGiven([name]);
  if (file === undefined) return;
  refuseZip([file]);
  const isByPicture = flags.by === "picture";
  const options = reading([file], isByPicture ? 2 : 1);
  const groups = new PictureGroups(hash64);
  if (isByPicture) for await (const { sample } of usableEntries(file, new LeftOut(), options)) groups.join(sample);
  await mkdir(flags.out, { recursive: true });
  const leftOut = new LeftOut();
  const outputs = new Map<Part, RecordFile>();
  let rest = 0;
  try {
    for (const part of parts)
      outputs.set(part, await openRecords(pathOf(file, flags.out, part), { force: flags.force, inputs: [file.path] }));
    for await (const { sample, json } of usableEntries(file, leftOut, options)) {
      const key = isByPicture ? groups.keyOf(sample) : contentKey(sample);
      const part = partAt(parts, drawOf(hash64, flags.seed, key));
      const output = part === undefined ? undefined : outputs.get(part);
      if (output === undefined) rest++;
      else output.add(json);
    }
    for (const output of outputs.values()) await output.finish();
  } finally {
    for (const output of outputs.values()) output.drop();
    options.end();
  }
  for (const output of outputs.values())
    process.stdout.write(`${count(output.count, "conversation")} in ${output.path}\n`);
  if (rest > 0) process.stderr.write(`${count(rest, "conversation")} in no part: the shares add up to less than 1\n`);
  for (const output of outputs.values())
    if (output.count === 0) process.stderr.write(`${output.path} is empty: its share is too small for this file\n`);
  tellLeftOut(leftOut, "kept as they are");
}

const pathOf = (file: DataFile, folder: string, { name }: Part): string =>
  join(folder, `${name}${/^\.(?:jsonl|ndjson)$/i.test(extname(file.name)) ? extname(file.name) : ".json"}`);

function parseParts(given: readonly string[]): Part[] {
  const parts = given.map((text): Part => {
    const [, name = "", share = ""] = /^([\p{L}\p{N}_.-]+)=(\d*\.?\d+)$/u.exec(text) ?? [];
    if (name === "" || /^\.+$/.test(name) || Number(share) <= 0)
      throw new Error(`"${text}" is no part; write a name and its share, such as --part train=0.9`);
    return { name, share: Number(share) };
  });
  if (parts.length === 0) throw new Error("name the parts, such as --part train=0.9 --part val=0.1");
  const names = parts.map(({ name }) => name.toLowerCase());
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`the part ${twice} is named twice`);
  const sum = parts.reduce((total, { share }) => total + share, 0);
  if (sum > 1 + 1e-9) throw new Error(`the shares add up to ${Number(sum.toFixed(6))}; together they may be 1 at most`);
  return parts;
}
