// A benchmark's files in a folder on disk: the benchmark's own, or the one above it that holds all benchmarks (playground/data/eval).
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { DataFiles } from "./data-files.ts";

/** The roots in which a benchmark's paths are looked for: the folder itself, and the benchmark's own folders in it. */
export function dataRoots(folder: string, names: readonly string[]): string[] {
  return [folder, ...names.map((name) => join(folder, name))];
}

/** The first of these paths that exists in one of the roots. */
export async function findPath(roots: readonly string[], paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    for (const root of roots) {
      const whole = join(root, path);
      if (await exists(whole)) return whole;
    }
  }
  return undefined;
}

/** The folder as a benchmark sees it; `names` are what LLaVA calls the benchmark's own folder. Throws where there is no such folder. */
export async function dataFolder(folder: string, names: readonly string[]): Promise<DataFiles> {
  if (!(await exists(folder)))
    throw new Error(`There is no folder ${folder}. Give the one with the benchmark's files to --data.`);
  const roots = dataRoots(folder, names);
  return {
    name: folder,
    async find(paths) {
      const path = await findPath(roots, paths);
      return path === undefined ? undefined : { path, text: await readFile(path, "utf8") };
    },
    async list(inner) {
      const path = await findPath(roots, [inner]);
      if (path === undefined || !(await stat(path)).isDirectory()) return undefined;
      return (await readdir(path)).sort();
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
