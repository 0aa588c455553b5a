// The shard store on IndexedDB, in a database of its own. Knows keys and Blobs only.
import { createStore, delMany, get, keys, set, type UseStore } from "idb-keyval";
import type { StoredValue } from "./migrations.ts";
import { createShardStore, type ShardStore } from "./store.ts";

/** Shards in the browser's storage; opening fails late, on first use, with EngineError("storage"). */
export function createIdbShardStore(database = "llava-weights"): ShardStore {
  let opened: UseStore | undefined;
  // Opening can throw at once where a browser blocks storage, so it happens inside the calls that translate errors.
  const shards = (): UseStore => (opened ??= createStore(database, "shards"));
  return createShardStore({
    get: async (key) => await get<unknown>(key, shards()),
    set: async (key, value) => {
      await set(key, value, shards());
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
