// A checkpoint's folder whose files of weights will be streamed: each is opened once, and remembered in the order of its name.
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { createBlockPool } from "./block-pool.ts";
import { ResidentFile } from "./resident.ts";

export interface StreamedFolder {
  readonly folder: CheckpointFolder;
  /** The files of weights that were opened so far, in the order in which they are to be read. */
  opened(): readonly { readonly name: string; readonly source: ResidentFile }[];
}

const weights = /\.(safetensors|bin|pth?|gguf)$/i;

export function streamedFolder(folder: CheckpointFolder, blockBytes: number): StreamedFolder {
  const pool = createBlockPool(blockBytes);
  const files = new Map<string, Promise<ResidentFile | undefined>>();
  const found = new Map<string, ResidentFile>();
  return {
    folder: {
      ...folder,
      open(path) {
        if (!weights.test(path)) return folder.open(path);
        const known = files.get(path);
        if (known) return known;
        const opening = folder.open(path).then((file) => {
          const resident = file && new ResidentFile(path, file, blockBytes, pool);
          if (resident) found.set(path, resident);
          return resident;
        });
        files.set(path, opening);
        return opening;
      },
    },
    opened: () => [...found].map(([name, source]) => ({ name, source })).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
