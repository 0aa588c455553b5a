// Picture features in an IndexedDB database of their own, so that a picture of an earlier visit is not encoded again. A cache: every failure
// of the storage counts as absence.
import { createStore, promisifyRequest, type UseStore } from "idb-keyval";
import * as v from "valibot";
import { addEntry, removeOwner, type FeatureStorage, type FeatureIndex, type IndexChange } from "./features.ts";

const indexKey = "index";
const Index = v.record(v.string(), v.object({ owner: v.string(), bytes: v.number(), usedAt: v.number() }));

/** Stores at most `maxBytes` in all. */
export function createIdbFeatures(maxBytes = 64 * 2 ** 20, database = "llava-features"): FeatureStorage {
  let opened: UseStore | undefined;
  // Opening throws where a browser blocks storage, so it happens within the calls.
  const transact = async <T>(work: (store: IDBObjectStore, index: FeatureIndex) => Promise<T>): Promise<T> =>
    (opened ??= createStore(database, "features"))("readwrite", async (store) => {
      const parsed = v.safeParse(Index, await promisifyRequest<unknown>(store.get(indexKey)));
      // Without an index the stored features cannot be evicted.
      if (!parsed.success) store.clear();
      const done = promisifyRequest(store.transaction);
      // Where the work fails the transaction fails, too; the work's error is the one that counts.
      done.catch(() => undefined);
      const result = await work(store, parsed.success ? parsed.output : {});
      await done;
      return result;
    });
  const apply = (store: IDBObjectStore, { index, evicted }: IndexChange): void => {
    for (const key of evicted) store.delete(key);
    store.put(index, indexKey);
  };
  return {
    open: (owner, scope) => {
      const nameOf = (key: string): string => `${owner}/${scope}/${key}`;
      return {
        get: (key) =>
          transact(async (store, index) => {
            const name = nameOf(key);
            const entry = index[name];
            if (!entry) return undefined;
            const found = await promisifyRequest<unknown>(store.get(name));
            if (!(found instanceof Float32Array) || !(found.buffer instanceof ArrayBuffer)) return undefined;
            store.put({ ...index, [name]: { ...entry, usedAt: Date.now() } }, indexKey);
            return new Float32Array(found.buffer, found.byteOffset, found.length);
          }).catch(() => undefined),
        put: (key, features) =>
          transact((store, index) => {
            const name = nameOf(key);
            const change = addEntry(index, name, { owner, bytes: features.byteLength, usedAt: Date.now() }, maxBytes);
            if (change) {
              store.put(features, name);
              apply(store, change);
            }
            return Promise.resolve();
          }).catch(() => undefined),
      };
    },
    forget: (owner) =>
      transact((store, index) => {
        const change = removeOwner(index, owner);
        if (change.evicted.length > 0) apply(store, change);
        return Promise.resolve();
      }).catch(() => undefined),
  };
}
