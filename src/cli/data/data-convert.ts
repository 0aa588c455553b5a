// `llava data convert`: conversations from one form into another, with their pictures.
import { join, resolve } from "node:path";
import type { Command } from "commander";
import * as v from "valibot";
import { formNames, lostTurnFields, otherFields, toForm } from "#data/convert/forms.ts";
import { PictureWriter } from "#data/convert/picture-writer.node.ts";
import { LeftOut, usableEntries, type UsableEntry } from "#data/left-out.ts";
import { openRecords } from "#data/output.node.ts";
import type { PictureRef } from "#samples/sample.ts";
import { count, folderOf, openGiven, reading, tellLeftOut } from "./data-files.ts";

const Flags = v.object({
  to: v.picklist(formNames, `give one of ${formNames.join(", ")} to --to`),
  out: v.string(),
  pictures: v.optional(v.string()),
  inline: v.optional(v.boolean(), false),
  images: v.optional(v.string()),
  force: v.optional(v.boolean(), false),
});
type Flags = v.InferOutput<typeof Flags>;

/** Adds `convert` to `llava data`. */
export function addDataConvert(group: Command): void {
  group
    .command("convert")
    .description("Bring conversations to LLaVA's, ShareGPT's or OpenAI's form, and say what the form can't hold.")
    .argument("<file>", "JSON or lines of JSON in one of these forms, or an export of llava-web (zip, folder, backup)")
    .requiredOption("--to <form>", formNames.join(", "))
    .requiredOption("--out <file>", "the new file: .json for a list, .jsonl for lines")
    .option(
      "--pictures <folder>",
      "where pictures of a zip, or embedded as base64, are written (default: images beside the file)",
    ) // prettier-ignore
    .option("--inline", "embed every picture as base64 instead, as servers want it")
    .option("--images <folder>", "where pictures are named from (default: the folder of the file)")
    .option("--force", "replace the file if there is one")
    .action(async (name: string, raw: unknown) => convert(name, v.parse(Flags, raw)));
}

async function convert(name: string, flags: Flags): Promise<void> {
  if (flags.inline && flags.pictures !== undefined)
    throw new Error("--inline embeds the pictures and --pictures writes files; give one of the two");
  const [file] = await openGiven([name], flags.images);
  if (file === undefined) return;
  const outFolder = folderOf(flags.out);
  const pictures = new PictureWriter({
    file,
    outFolder,
    pictures: flags.pictures === undefined ? join(outFolder, "images") : resolve(flags.pictures),
    inline: flags.inline,
  });
  const options = reading([file]);
  const leftOut = new LeftOut();
  const output = await openRecords(flags.out, { force: flags.force, inputs: [file.path] });
  const lost = { turnFields: 0, systems: 0 };
  let isDone = false;
  try {
    for await (const entry of usableEntries(file, leftOut, options)) {
      const names = await namesOf(entry, pictures);
      output.add(toForm(flags.to, entry.sample, otherFields(entry.json), (ref) => names.get(ref) ?? ""));
      lost.turnFields += lostTurnFields(entry.json);
      if (entry.sample.system !== "") lost.systems++;
    }
    await output.finish();
    isDone = true;
  } finally {
    output.drop();
    options.end();
    if (!isDone) await pictures.undo();
  }
  process.stdout.write(`${count(output.count, "conversation")} in ${flags.out}\n`);
  const { written, embedded, missing, broken, renamed } = pictures.counts;
  const told = (number: number, one: string, text: string): string[] =>
    number === 0 ? [] : [`${count(number, one)} ${text}\n`];
  const lines = [
    ...told(written, "picture", "written as files"),
    ...told(embedded, "picture", "embedded"),
    ...told(renamed, "picture", "named anew, from the new file's folder"),
    ...told(missing, "picture", "not found, so their names stay"),
    ...told(broken, "picture", "embedded in the data that are no base64, kept as they are"),
    ...told(
      lost.turnFields,
      "field",
      "of single turns lost (names, weights, tool calls), which the form has no place for",
    ),
    ...(flags.to === "llava" ? told(lost.systems, "system prompt", 'in the field "system", which LLaVA\'s own trainer does not read') : []), // prettier-ignore
  ];
  for (const line of lines) process.stderr.write(line);
  tellLeftOut(leftOut, "left out");
}

async function namesOf({ sample }: UsableEntry, pictures: PictureWriter): Promise<Map<PictureRef, string>> {
  const names = new Map<PictureRef, string>();
  for (const turn of sample.turns)
    for (const ref of turn.role === "user" ? turn.pictures : []) names.set(ref, await pictures.nameOf(ref));
  return names;
}
