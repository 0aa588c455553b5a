// A model package that lies in a folder on disk. Knows no manifest.
import { openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "./errors.ts";
import type { PackageFiles } from "./types.ts";

/** The files of a package folder; Blobs read lazily from disk. */
export function packageFolder(folder: string): PackageFiles {
  const localPath = (path: string): string => join(folder, path);
  return {
    localPath,
    async blob(path) {
      const file = localPath(path);
      const found = await stat(file).catch(() => undefined);
      if (!found?.isFile()) throw new EngineError("bad-package", `${path} is missing in ${folder}`);
      return openAsBlob(file);
    },
  };
}
