// The shard store on IndexedDB, in a database of its own. Knows keys and Blobs only.
import { createStore, delMany, get, keys, set, type UseStore } from "idb-keyval";
import { fromStoredBlob, isBlobRefused, toBlobBytes } from "./blob-values.ts";
import type { StoredValue } from "./migrations.ts";
import { createShardStore, type ShardStore } from "./store.ts";

/** Shards in the browser's storage. The database is opened on first use, which may fail with EngineError "storage". */
export function createIdbShardStore(database = "llava-weights"): ShardStore {
  let opened: UseStore | undefined;
  let takesBlobs = true;
  // Opening throws where a browser blocks storage, so it happens within the calls whose errors are translated.
  const shards = (): UseStore => (opened ??= createStore(database, "shards"));
  return createShardStore({
    get: async (key) => withBlob(await get<unknown>(key, shards())),
    set: async (key, value) => {
      try {
        if (!takesBlobs) return await set(key, { ...value, blob: await toBlobBytes(value.blob) }, shards());
        await set(key, value, shards());
      } catch (error) {
        if (!takesBlobs || !isBlobRefused(error)) throw error;
        takesBlobs = false;
        return await set(key, { ...value, blob: await toBlobBytes(value.blob) }, shards());
      }
      // Private windows of Chromium accept more than they have room for and then cannot read it (seen at 450 MB with 24 GiB of memory).
      const held = await get<StoredValue>(key, shards());
      try {
        await held?.blob.slice(0, 1).arrayBuffer();
      } catch (error) {
        await delMany([key], shards());
        throw new DOMException(`what was stored can't be read back: ${String(error)}`, "QuotaExceededError");
      }
    },
    keys: async () => (await keys(shards())).filter((key) => typeof key === "string"),
    delete: async (list) => await delMany([...list], shards()),
  });
}

/** A stored value with its Blob, which may have been stored as bytes; any other value as it is. */
function withBlob(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("blob" in value) || value.blob instanceof Blob) return value;
  return { ...value, blob: fromStoredBlob(value.blob) };
}
