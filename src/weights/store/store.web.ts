// The shard store on IndexedDB, in a database of its own. Knows keys and Blobs only.
import { createStore, delMany, get, keys, set, type UseStore } from "idb-keyval";
import { fromStoredBlob, isBlobRefused, toBlobBytes } from "./blob-values.ts";
import type { StoredValue } from "./migrations.ts";
import { createShardStore, type ShardStore } from "./store.ts";

/** Shards in the browser's storage; opening fails late, on first use, with EngineError("storage"). */
export function createIdbShardStore(database = "llava-weights"): ShardStore {
  let opened: UseStore | undefined;
  let takesBlobs = true;
  // Opening can throw at once where a browser blocks storage, so it happens inside the calls that translate errors.
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
      // Private windows of Chromium take more than they have room for, and what they took can't be read (450 MB on a machine of 24 GiB).
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

/** A stored value with its Blob, whichever form that was stored in; anything else as it is. */
function withBlob(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("blob" in value) || value.blob instanceof Blob) return value;
  return { ...value, blob: fromStoredBlob(value.blob) };
}
