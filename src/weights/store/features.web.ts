// Features of pictures in IndexedDB, in a database of their own, so that a picture asked about at an earlier visit is not encoded again.
// A convenience: what can't be read or kept is just not there.
import { createStore, promisifyRequest, type UseStore } from "idb-keyval";
import * as v from "valibot";
import { admit, withoutOwner, type FeatureStorage, type FeatureIndex } from "./features.ts";

const indexKey = "index";
const Index = v.record(v.string(), v.object({ owner: v.string(), bytes: v.number(), usedAt: v.number() }));

/** Keeps at most `maxBytes` in all. */
export function createIdbFeatures(maxBytes = 64 * 2 ** 20, database = "llava-features"): FeatureStorage {
  let opened: UseStore | undefined;
  // Opening can throw at once where a browser blocks storage, so it happens inside the calls.
  const use = async <T>(work: (store: IDBObjectStore, index: FeatureIndex) => Promise<T>): Promise<T> =>
    (opened ??= createStore(database, "features"))("readwrite", async (store) => {
      const parsed = v.safeParse(Index, await promisifyRequest<unknown>(store.get(indexKey)));
      // Without an index nobody knows what is there.
      if (!parsed.success) store.clear();
      const done = promisifyRequest(store.transaction);
      // Where the work fails, so does the transaction, and the work's own reason is told.
      done.catch(() => undefined);
      const result = await work(store, parsed.success ? parsed.output : {});
      await done;
      return result;
    });
  const write = (store: IDBObjectStore, index: FeatureIndex, gone: readonly string[]): void => {
    for (const key of gone) store.delete(key);
    store.put(index, indexKey);
  };
  return {
    open: (owner, scope) => {
      const nameOf = (key: string): string => `${owner}/${scope}/${key}`;
      return {
        get: (key) =>
          use(async (store, index) => {
            const name = nameOf(key);
            const entry = index[name];
            if (!entry) return undefined;
            const found = await promisifyRequest<unknown>(store.get(name));
            if (!(found instanceof Float32Array) || !(found.buffer instanceof ArrayBuffer)) return undefined;
            store.put({ ...index, [name]: { ...entry, usedAt: Date.now() } }, indexKey);
            return new Float32Array(found.buffer, found.byteOffset, found.length);
          }).catch(() => undefined),
        put: (key, features) =>
          use((store, index) => {
            const name = nameOf(key);
            const admitted = admit(index, name, { owner, bytes: features.byteLength, usedAt: Date.now() }, maxBytes);
            if (admitted) {
              store.put(features, name);
              write(store, admitted.index, admitted.gone);
            }
            return Promise.resolve();
          }).catch(() => undefined),
      };
    },
    forget: (owner) =>
      use((store, index) => {
        const left = withoutOwner(index, owner);
        if (left.gone.length > 0) write(store, left.index, left.gone);
        return Promise.resolve();
      }).catch(() => undefined),
  };
}
