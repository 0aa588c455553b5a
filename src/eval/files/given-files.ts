// Files that were given to a page, as a benchmark's folder: found by the end of their paths, whatever folder was dropped.
import type { DataFiles } from "./data-files.ts";

/** A file with its path from the given folder on, or its name. */
export interface GivenFile {
  readonly path: string;
  readonly blob: Blob;
}

export interface GivenFiles {
  /** The file whose path ends as the wanted one does: in all of it, else in as many folders as possible. */
  find(path: string): GivenFile | undefined;
  /** As many as were given. */
  readonly size: number;
  readonly all: readonly GivenFile[];
}

const partsOf = (path: string): string[] => path.replaceAll("\\", "/").split("/").filter((part) => part !== "" && part !== "."); // prettier-ignore

/** An index of the files. Where two have one path, the later one counts. */
export function indexFiles(files: readonly GivenFile[]): GivenFiles {
  const byName = new Map<string, { readonly parts: readonly string[]; readonly file: GivenFile }[]>();
  for (const file of files) {
    const parts = partsOf(file.path);
    const name = parts.at(-1) ?? "";
    const same = byName.get(name);
    if (same) same.push({ parts, file });
    else byName.set(name, [{ parts, file }]);
  }
  return {
    all: files,
    size: files.length,
    find(path) {
      const wanted = partsOf(path);
      let [best, most] = [undefined as GivenFile | undefined, 0];
      for (const { parts, file } of byName.get(wanted.at(-1) ?? "") ?? []) {
        const shared = sharedEnd(parts, wanted);
        if (shared >= most) [best, most] = [file, shared];
      }
      return best;
    },
  };
}

function sharedEnd(a: readonly string[], b: readonly string[]): number {
  let shared = 0;
  while (shared < Math.min(a.length, b.length) && a.at(-1 - shared) === b.at(-1 - shared)) shared++;
  return shared;
}

/** The files as a benchmark's folder, in which scorers look for labels by LLaVA's names. */
export function asDataFiles({ all }: GivenFiles, name: string): DataFiles {
  const within = (path: string): { readonly file: GivenFile; readonly at: string }[] => {
    const wanted = partsOf(path).join("/");
    return all.flatMap((file) => {
      const own = `/${partsOf(file.path).join("/")}`;
      return own.endsWith(`/${wanted}`) ? [{ file, at: own }] : [];
    });
  };
  return {
    name,
    async find(paths) {
      for (const path of paths) {
        const [found] = within(path);
        if (found) return { path: found.file.path, text: await found.file.blob.text() };
      }
      return undefined;
    },
    list(folder) {
      const inner = `/${partsOf(folder).join("/")}/`;
      const names = all.flatMap(({ path }) => {
        const own = `/${partsOf(path).join("/")}`;
        const at = own.lastIndexOf(inner);
        const rest = at < 0 ? "" : own.slice(at + inner.length);
        return rest === "" || rest.includes("/") ? [] : [rest];
      });
      return Promise.resolve(names.length === 0 ? undefined : [...new Set(names)].sort());
    },
  };
}
