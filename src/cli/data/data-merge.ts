// `llava data merge`: several files as one, with weights; ids stay unique, duplicates go, pictures are named from the new file's folder.
import { basename, extname, resolve } from "node:path";
import type { Command } from "commander";
import * as v from "valibot";
import { familyOf } from "#data/convert/forms.ts";
import type { DataFile } from "#data/data-file.ts";
import { hash64 } from "#data/hash.node.ts";
import { LeftOut, usableEntries, type UsableEntry } from "#data/left-out.ts";
import { Merger } from "#data/merge/merge.ts";
import { openRecords } from "#data/output.node.ts";
import { namesFrom } from "#data/picture-place.node.ts";
import { count, folderOf, openGiven, reading, refuseZip, several, tellLeftOut, wholeNumber } from "./data-files.ts";

const Flags = v.object({
  out: v.string(),
  weight: v.array(v.string()),
  seed: v.number(),
  keepDuplicates: v.optional(v.boolean(), false),
  images: v.optional(v.string()),
  pictures: v.boolean(),
  force: v.optional(v.boolean(), false),
});
type Flags = v.InferOutput<typeof Flags>;

/** Adds `merge` to `llava data`. */
export function addDataMerge(group: Command): void {
  group
    .command("merge")
    .description("Join files of conversations: ids stay unique, duplicates go, pictures are found from the new file.")
    .argument("<files...>", "conversations of one form, as JSON or lines of JSON")
    .requiredOption("--out <file>", "the new file: .json for a list, .jsonl for lines")
    .option(
      "--weight <file=number>",
      "take this share of a file's conversations (2 takes each twice); several times",
      several,
      [],
    ) // prettier-ignore
    .option("--seed <n>", "another number draws other conversations", wholeNumber, 0)
    .option("--keep-duplicates", "keep conversations that an earlier file has")
    .option("--images <folder>", "all files name their pictures from here, and the names stay as they are")
    .option("--no-pictures", "name pictures anew without looking whether they are there")
    .option("--force", "replace the file if there is one")
    .action(async (names: string[], raw: unknown) => merge(names, v.parse(Flags, raw)));
}

async function merge(names: readonly string[], flags: Flags): Promise<void> {
  const files = await openGiven(names, flags.images);
  const weights = weightsOf(flags.weight, files);
  refuseZip(files);
  const options = reading(files);
  const leftOut = new LeftOut();
  const merger = new Merger({ hash: hash64, seed: flags.seed, keepDuplicates: flags.keepDuplicates });
  const output = await openRecords(flags.out, { force: flags.force, inputs: files.map(({ path }) => path) });
  let form: { readonly family: string; readonly name: string } | undefined;
  let missing = 0;
  try {
    for (const file of files) {
      const places = namesFrom(file, folderOf(flags.out), { lookUp: flags.pictures });
      const rename = flags.images === undefined ? places.rename : (name: string) => name;
      const source = { prefix: prefixOf(file), weight: weights.get(file) ?? 1, rename };
      for await (const entry of usableEntries(file, leftOut, options)) {
        const family = familyOf(entry.json);
        form ??= { family, name: file.name };
        if (family !== form.family)
          throw new Error(`${file.name} has another form than ${form.name} (item ${entry.item}); bring one to the other's first with \`llava data convert\``); // prettier-ignore
        await places.find(namesIn(entry));
        for (const json of merger.add(entry, source)) output.add(json);
      }
      missing += places.missing;
    }
    await output.finish();
  } finally {
    output.drop();
    options.end();
  }
  process.stdout.write(`${count(output.count, "conversation")} in ${flags.out}\n`);
  const { duplicates, notDrawn, newIds } = merger;
  const told = (number: number, text: string): string[] =>
    number === 0 ? [] : [`${count(number, "conversation")} ${text}\n`];
  const lines = [
    ...told(duplicates, "left out that were there already"),
    ...told(notDrawn, "left out by the weights"),
    ...told(newIds, "with a new id, because the id was taken"),
    ...(missing === 0
      ? []
      : [`${count(missing, "picture")} not found; \`llava data check ${flags.out}\` names them\n`]),
  ];
  for (const line of lines) process.stderr.write(line);
  tellLeftOut(leftOut, "kept as they are");
}

const prefixOf = ({ name }: DataFile): string => basename(name, extname(name));

function* namesIn({ sample }: UsableEntry): Generator<string> {
  for (const turn of sample.turns)
    for (const ref of turn.role === "user" ? turn.pictures : []) if (ref.kind === "name") yield ref.name;
}

function weightsOf(given: readonly string[], files: readonly DataFile[]): Map<DataFile, number> {
  const weights = new Map<DataFile, number>();
  for (const text of given) {
    const at = text.lastIndexOf("=");
    const weight = Number(text.slice(at + 1));
    if (at < 1 || at === text.length - 1 || !(weight >= 0) || weight > 1000)
      throw new Error(`"${text}" is no weight; write a file and a number, such as --weight talk.json=0.5`);
    const name = text.slice(0, at);
    const meant = files.filter((file) => file.name === name || file.path === resolve(name));
    const [file, other] = meant.length > 0 ? meant : files.filter((one) => basename(one.name) === name);
    if (file === undefined || other !== undefined)
      throw new Error(`--weight names ${name}, which is ${file === undefined ? "none" : "more than one"} of the files; write its path as it is given`); // prettier-ignore
    weights.set(file, weight);
  }
  return weights;
}
