// Files that were dropped on the page, or picked, as a checkpoint's folder.
import { changedWhileRead } from "#convert/checkpoint/bad-checkpoint.ts";
import type { CheckpointFile, CheckpointFolder } from "#convert/checkpoint/folders.ts";

/** `files` by path; what all paths have before `config.json`'s place is cut, so that a dropped folder and its files are the same. */
export function fileFolder(name: string, files: ReadonlyMap<string, File>): CheckpointFolder {
  const prefix = folderOf(files);
  const own = new Map(
    [...files].flatMap(([path, file]) => (path.startsWith(prefix) ? [[path.slice(prefix.length), file] as const] : [])),
  );
  return {
    name,
    open(path) {
      const file = own.get(path);
      return Promise.resolve(file && blobFile(path, file));
    },
    names: () => Promise.resolve([...own.keys()]),
  };
}

function blobFile(path: string, file: File): CheckpointFile {
  return {
    bytes: file.size,
    version: String(file.lastModified),
    async read(offset, length) {
      const bytes = await file
        .slice(offset, offset + length)
        .arrayBuffer()
        .catch(() => {
          // Browsers refuse to read a file that is not the one that was dropped any more.
          throw changedWhileRead(path);
        });
      if (bytes.byteLength !== length) throw changedWhileRead(path);
      return new Uint8Array(bytes);
    },
  };
}

/** The folder of the outermost config.json; "" where there is none. */
function folderOf(files: ReadonlyMap<string, File>): string {
  const configs = [...files.keys()].filter((path) => path === "config.json" || path.endsWith("/config.json"));
  const outermost = configs.toSorted((a, b) => a.split("/").length - b.split("/").length)[0] ?? "";
  return outermost.slice(0, -"config.json".length);
}
