// What the commands of `llava data` share: opening what is given, reading with progress, and the kinds of their options.
import { basename, dirname, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import type { DataFile, ReadOptions } from "#data/data-file.ts";
import type { LeftOut } from "#data/left-out.ts";
import { openData } from "#data/open-data.node.ts";
import { givenPath } from "#cli/terminal/given-path.ts";
import { createProgress } from "#cli/terminal/progress.ts";
import { stopOnSignals } from "#cli/terminal/stop.ts";

/** Opens every file; throws a sentence for the first that can't be. */
export async function openGiven(names: readonly string[], images?: string): Promise<DataFile[]> {
  const folder = images === undefined ? undefined : await givenImages(images);
  const files: DataFile[] = [];
  for (const name of names) {
    const path = await givenPath(name);
    if (path === undefined) throw new Error(`there is nothing at ${name}; check its path`);
    files.push(await openData(path, name, { images: folder }));
  }
  return files;
}

async function givenImages(images: string): Promise<string> {
  const path = await givenPath(images);
  if (path === undefined) throw new Error(`there is no folder of pictures at ${images}; check --images`);
  return path;
}

/** Throws a sentence where a file is a zip: what keeps its pictures' names can't do with one. */
export function refuseZip(files: readonly DataFile[]): void {
  const zip = files.find(({ folder }) => folder === undefined);
  if (zip !== undefined)
    throw new Error(`${zip.name} is a zip, whose pictures must be unpacked: \`llava data convert ${zip.name} --to llava --out FILE\` first`); // prettier-ignore
}

/** Bytes below which a command is over before its progress could be read. */
const shownFrom = 32e6;

/** Options for reading all the files one after the other `passes` times, with one line of progress on stderr. */
export function reading(files: readonly DataFile[], passes = 1): ReadOptions & { readonly end: () => void } {
  const progress = createProgress(process.stderr);
  const total = passes * files.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  let last = 0;
  return {
    signal: stopOnSignals(),
    onBytes(file, bytes) {
      // A file that begins anew adds to what was read before.
      if (bytes < last) before += last;
      last = bytes;
      if (total > shownFrom) progress.update({ file: basename(file.name), written: before + bytes, total });
    },
    end: () => progress.end(),
  };
}

/** Says on stderr what was left out. */
export function tellLeftOut(leftOut: LeftOut, parts: "left out" | "kept as they are"): void {
  for (const note of leftOut.notes(parts)) process.stderr.write(`${note}\n`);
}

/** Whole path of the folder that a file is written into. */
export const folderOf = (path: string): string => dirname(resolve(path));

export const count = (value: number, one: string): string =>
  `${value.toLocaleString("en")} ${one}${value === 1 ? "" : "s"}`;

export function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
}

/** Gathers an option that is given several times. */
export const several = (value: string, before: readonly string[]): readonly string[] => [...before, value];
