// For pages that tests open: a package's files, fetched from where a test serves them.
import { EngineError } from "#engine/errors.ts";
import type { PackageFiles } from "#engine/types.ts";

/** The files below `folder`, which ends with a slash; one that is not there rejects as the engine expects it ("bad-package"). */
export function servedFiles(folder: URL): PackageFiles {
  return {
    async blob(path) {
      const response = await fetch(new URL(path, folder));
      if (!response.ok) throw new EngineError("bad-package", `${path} is not there`);
      return response.blob();
    },
  };
}
