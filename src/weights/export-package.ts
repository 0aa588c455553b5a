// A stored package as one zip file.
import { writeStoredZip } from "#formats/package-zip.ts";
import { manifestName } from "./manifest.ts";
import { manifestKey, shardKey } from "#weights/store/keys.ts";
import { getReadable, readStoredManifest } from "#weights/store/records.ts";
import type { ShardStore } from "#weights/store/store.ts";

/** "incomplete" when a part of the package is not stored, "too-large" when it does not fit the zip format. */
export async function exportPackage(store: ShardStore, id: string): Promise<Blob | "incomplete" | "too-large"> {
  const manifest = await readStoredManifest(store, id);
  const json = await getReadable(store, manifestKey(id));
  if (!manifest || !json) return "incomplete";
  const files = new Map<string, Blob>([[manifestName, json]]);
  for (const file of manifest.files) {
    const parts: Blob[] = [];
    for (const [index, shard] of file.shards.entries()) {
      const blob = await getReadable(store, shardKey(id, file.path, index, shard.sha256));
      if (!blob) return "incomplete";
      parts.push(blob);
    }
    files.set(file.path, new Blob(parts));
  }
  return writeStoredZip(files);
}
