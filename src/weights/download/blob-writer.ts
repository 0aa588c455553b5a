// Writes a package's Blobs to the store, and keeps them in memory once the store has failed.
import { errorCodeOf } from "#engine/errors.ts";
import { isStorageFailure, type ShardStore } from "#weights/store/store.ts";

export interface BlobWriter {
  /** Whether every Blob so far is stored; later Blobs are not stored once one has failed. */
  readonly persisted: boolean;
  /**
   * Resolves with the stored Blob, a handle, or with the given one, whose bytes are in memory. `makeRoom` is called once when the quota is
   * exceeded, and resolves with whether it deleted anything.
   */
  write(key: string, blob: Blob, makeRoom?: () => Promise<boolean> | undefined): Promise<Blob>;
}

/** `persist` false stores nothing. With `mustStore` a failure of the store rejects with "quota" or "storage". */
export function createBlobWriter(store: ShardStore, persist: boolean, mustStore: boolean): BlobWriter {
  let persisted = persist;
  const write: BlobWriter["write"] = async (key, blob, makeRoom) => {
    if (!persisted) return blob;
    try {
      await store.put(key, blob);
      return (await store.get(key)) ?? blob;
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      if (errorCodeOf(error) === "quota" && (await makeRoom?.()) === true) return write(key, blob);
      if (mustStore) throw error;
      persisted = false;
      return blob;
    }
  };
  return {
    get persisted() {
      return persisted;
    },
    write,
  };
}
