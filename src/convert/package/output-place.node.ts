// Whether a result may be written to a place: nothing that this program did not make is ever replaced, and no input is.
import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { EngineError } from "#engine/errors.ts";
import { manifestName, parsePackageManifest } from "#weights/manifest.ts";

/** In results that are no packages (merged checkpoints, deltas, projectors): the files that were written, so that --force knows them again. */
export const filesName = ".llava-files.json";

export interface OutputOptions {
  /** Replaces what is there, if this program wrote it. */
  readonly force: boolean;
  /** What the result is made from; it may neither be, hold nor lie in one of these. */
  readonly inputs?: readonly string[];
}

/** The place itself, links resolved. Throws EngineError "disk" with a sentence where nothing may be written to it. */
export async function outputPlace(path: string, { force, inputs = [] }: OutputOptions): Promise<string> {
  const target = await resolveLinks(path);
  for (const input of inputs) await refuseOverlap(path, target, input);
  const found = await stat(target).catch(absent);
  if (found === undefined) return target;
  if (!found.isDirectory()) throw refusal(path, "is a file");
  if ((await readdir(target).catch(cannot(path))).length === 0) return target;
  const written = await filesOfResult(target);
  if (written === undefined)
    throw refusal(path, "holds files and is no model package, so it is never replaced, not even with --force");
  const foreign = (await filesBelow(target)).filter((file) => !written.has(file) && !systemFiles.has(basename(file)));
  if (foreign.length > 0) {
    const shown = foreign.slice(0, 3).join(", ") + (foreign.length > 3 ? ` and ${foreign.length - 3} more` : "");
    const what = `${path} holds files that are not of the package: ${shown}`;
    throw new EngineError("disk", `${what}; move them away, or choose another folder for the result`);
  }
  if (force) return target;
  throw new EngineError("disk", `${path} exists already; add --force to replace it`);
}

const systemFiles = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

function refusal(path: string, why: string): EngineError {
  return new EngineError("disk", `${path} ${why}; choose another folder for the result`);
}

/** The path with every link on it resolved, as far as it exists. */
export async function resolveLinks(path: string): Promise<string> {
  if (path.trim() === "") throw new EngineError("disk", "the folder for the result has no name");
  const whole = resolve(path);
  const found = await realpath(whole).catch(absent);
  if (found !== undefined) return found;
  if ((await lstat(whole).catch(absent)) !== undefined) throw refusal(path, "is a link to nowhere");
  const parent = dirname(whole);
  return parent === whole ? whole : join(await resolveLinks(parent), basename(whole));
}

/** Compares folders by what they are on the disk, so that links and the case of letters make no difference. */
async function refuseOverlap(path: string, target: string, input: string): Promise<void> {
  const source = await realpath(resolve(input)).catch(absent);
  if (source === undefined) return; // Whoever reads it says that it is missing.
  const [targetId, sourceId] = [await identity(target), await identity(source)];
  if (targetId !== undefined && targetId === sourceId) throw refusal(path, `is ${input} itself, which it is made from`);
  for (const folder of foldersAbove(source))
    if (targetId !== undefined && (await identity(folder)) === targetId)
      throw refusal(path, `holds ${input}, which it is made from`);
  for (const folder of foldersAbove(target))
    if ((await identity(folder)) === sourceId) throw refusal(path, `lies in ${input}, which it is made from`);
}

async function identity(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(absent);
  return found && `${found.dev}:${found.ino}`;
}

function foldersAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...foldersAbove(parent)];
}

/** The files that this program wrote there, the list of them included; undefined where it did not. */
async function filesOfResult(folder: string): Promise<Set<string> | undefined> {
  const manifest = parsePackageManifest(await readJson(join(folder, manifestName)));
  if (manifest.ok) return new Set([manifestName, ...manifest.manifest.files.map((file) => file.path)]);
  const list = await readJson(join(folder, filesName));
  const isList = Array.isArray(list) && list.every((file) => typeof file === "string");
  return isList ? new Set([filesName, ...list]) : undefined;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return undefined; // Not there, or not ours.
  }
}

/** Everything below the folder that is no folder, with forward slashes. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(cannot(folder));
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
}

function cannot(folder: string): (error: unknown) => never {
  return (cause) => {
    throw new EngineError("disk", `${folder} can't be read`, { cause });
  };
}

function absent(error: unknown): undefined {
  if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
    return undefined;
  throw new EngineError("disk", error instanceof Error ? error.message : String(error), { cause: error });
}
