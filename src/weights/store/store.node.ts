// The shard store on a disk, a file per key. Knows keys and Blobs only.
import { randomUUID } from "node:crypto";
import { openAsBlob } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createShardStore, type ShardStore } from "./store.ts";
import { currentVersion } from "./migrations.ts";

/** Shards in a folder, which is created when it is first needed; a Blob is a handle on its file. */
export function createFolderShardStore(folder: string): ShardStore {
  const fileOf = (key: string): string => join(folder, encodeURIComponent(key));
  return createShardStore({
    async get(key) {
      const found = await stat(fileOf(key)).catch(() => undefined);
      return found && { version: currentVersion, bytes: found.size, blob: await openAsBlob(fileOf(key)) };
    },
    async set(key, { blob }) {
      await mkdir(folder, { recursive: true });
      // Renamed once it is whole, so that no reader sees part of a file.
      const unfinished = join(folder, `.${randomUUID()}.tmp`);
      await writeFile(unfinished, blob.stream());
      await rename(unfinished, fileOf(key));
    },
    async keys() {
      const names = await readdir(folder).catch(() => []);
      return names.filter((name) => !name.startsWith(".")).map(decodeURIComponent);
    },
    async delete(keys) {
      for (const key of keys) await rm(fileOf(key), { force: true });
    },
  });
}
