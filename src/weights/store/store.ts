// The contract of the shard store, and its one implementation over a key-value backend. Knows no network and no browser: `store.web.ts` and
// `store.node.ts` bring backends that last, `createMemoryShardStore` one that does not.
import { EngineError, errorCodeOf } from "#engine/errors.ts";
import { currentVersion, readStored, type StoredValue } from "./migrations.ts";

/** Stores Blobs by key. A Blob that was stored is returned as a handle; its bytes are read when they are needed. */
export interface ShardStore {
  /** The stored Blob; undefined when there is none, or one of a version that cannot be read any more. */
  get(key: string): Promise<Blob | undefined>;
  /** Replaces the stored Blob; throws EngineError "quota" when the host has no room, "storage" when it fails otherwise. */
  put(key: string, blob: Blob): Promise<void>;
  keys(): Promise<readonly string[]>;
  /** Keys that do not exist are ignored. */
  delete(keys: readonly string[]): Promise<void>;
}

/** What a host offers for storing values; each call may fail with any error of the host's. */
export interface KeyValueBackend {
  get(key: string): Promise<unknown>;
  set(key: string, value: StoredValue): Promise<void>;
  keys(): Promise<readonly string[]>;
  delete(keys: readonly string[]): Promise<void>;
}

/** The store over a backend: values carry a version, and the host's errors become EngineErrors. */
export function createShardStore(backend: KeyValueBackend): ShardStore {
  return {
    get: (key) => translate("reading", async () => readStored(await backend.get(key))),
    put: (key, blob) =>
      translate("writing", () => backend.set(key, { version: currentVersion, blob, bytes: blob.size })),
    keys: () => translate("listing", () => backend.keys()),
    delete: (keys) => translate("deleting", () => backend.delete(keys)),
  };
}

/** A store that lasts as long as the object. */
export function createMemoryShardStore(): ShardStore {
  const values = new Map<string, unknown>();
  return createShardStore({
    get: (key) => Promise.resolve(values.get(key)),
    set: (key, value) => Promise.resolve(void values.set(key, value)),
    keys: () => Promise.resolve([...values.keys()]),
    delete: (keys) => Promise.resolve(keys.forEach((key) => values.delete(key))),
  });
}

/** Resolves with `fallback` when the store fails; other errors reject. */
export async function unlessStoreFails<T>(work: Promise<T>, fallback: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isStorageFailure(error)) return fallback;
    throw error;
  }
}

/** Whether the error is one of those that a ShardStore throws. */
export function isStorageFailure(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === "storage" || code === "quota";
}

async function translate<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const name = error instanceof Error || error instanceof DOMException ? error.name : "";
    const message = error instanceof Error ? error.message : String(error);
    throw new EngineError(name === "QuotaExceededError" ? "quota" : "storage", `${doing} stored weights: ${message}`, {
      cause: error,
    });
  }
}
