// The name by which a picture of one file is called in another: relative to the other's folder, with "/" between folders.
import { isAbsolute, relative, resolve } from "node:path";
import type { DataFile } from "./data-file.ts";
import { isAddress } from "./find-picture.node.ts";
import { HashTable } from "./hash-table.ts";
import { hash64 } from "./hash.node.ts";

export interface Names {
  /** New names of pictures, from `out`'s folder; what is absolute stays so. Ask `find` for a conversation's names first. */
  readonly rename: (name: string) => string;
  /** Looks the names up, which may lie in images/ beside the data. */
  find(names: Iterable<string>): Promise<void>;
  /** How many different names had to change, and how many files were not found. */
  readonly changed: number;
  readonly missing: number;
}

/** `lookUp` false trusts the names and looks at no file. */
export function namesFrom(file: DataFile, outFolder: string, { lookUp }: { readonly lookUp: boolean }): Names {
  const from = file.folder ?? resolve(".");
  /** The last names, because conversations about one picture come together; all of them only as hashes, for the counts. */
  let recent = new Map<string, string>();
  const counted = new HashTable();
  let missing = 0;
  let changed = 0;
  const place = (name: string, path: string): string => {
    if (isAbsolute(name) || isAddress(name)) return name;
    const next = relative(outFolder, path).replaceAll("\\", "/");
    // A name that means the same place stays as it is written.
    return resolve(outFolder, name) === path ? name : next;
  };
  return {
    get changed() {
      return changed;
    },
    get missing() {
      return missing;
    },
    async find(names) {
      if (recent.size > 10_000) recent = new Map();
      for (const name of names) {
        if (recent.has(name) || isAddress(name)) continue;
        const found = lookUp ? (await file.findPicture(name))?.path : undefined;
        const next = place(name, found ?? resolve(from, name));
        recent.set(name, next);
        if (counted.get(hash64(name)) !== undefined) continue;
        counted.set(hash64(name), 1);
        if (lookUp && found === undefined) missing++;
        if (next !== name) changed++;
      }
    },
    rename: (name) => recent.get(name) ?? place(name, resolve(from, name)),
  };
}
