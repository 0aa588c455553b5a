// The contract for keeping shards between visits, and the one implementation of it over a key-value backend.
// Knows no network and no browser: `store.web.ts` brings the real backend, `createMemoryShardStore` one that forgets.
import { EngineError } from "#engine/errors.ts";
import { currentVersion, readStored, type StoredValue } from "./migrations.ts";

/** Keeps Blobs by key. A Blob that was put is returned as a handle; its bytes are read when they are needed. */
export interface ShardStore {
  /** The stored Blob, or undefined when there is none (or one of a version that can't be read any more). */
  get(key: string): Promise<Blob | undefined>;
  /** Replaces what was there; throws EngineError("quota") when the host has no room, "storage" when it fails otherwise. */
  put(key: string, blob: Blob): Promise<void>;
  keys(): Promise<readonly string[]>;
  /** Keys that are not there are no mistake. */
  delete(keys: readonly string[]): Promise<void>;
}

/** Where one shard is kept: a new hash is a new key, so a changed package never mixes with the old one. */
export function shardKey(packageId: string, path: string, index: number, sha256: string): string {
  return `${packagePrefix(packageId)}${path}#${index}:${sha256}`;
}

/** Every key of a package starts with this. */
export function packagePrefix(packageId: string): string {
  return `${encodeURIComponent(packageId)}/`;
}

/** The package that a key belongs to; undefined where nothing of ours could have written it. */
export function packageOf(key: string): string | undefined {
  const slash = key.indexOf("/");
  // A manifest, a note of use, a shard, or a piece of one.
  if (!/^(manifest\.json|\.used|.+#\d+:[0-9a-f]{64}(~\d+~\S*)?)$/.test(key.slice(slash + 1))) return undefined;
  try {
    const id = decodeURIComponent(key.slice(0, slash));
    return slash > 0 && key.startsWith(packagePrefix(id)) ? id : undefined;
  } catch {
    return undefined; // Not something that was encoded.
  }
}

/** Where it is kept when a package was used and where it came from. */
export function noteKey(packageId: string): string {
  return `${packagePrefix(packageId)}.used`;
}

/** What a host offers for keeping values; each call may fail with whatever the host throws. */
export interface KeyValueBackend {
  get(key: string): Promise<unknown>;
  set(key: string, value: StoredValue): Promise<void>;
  keys(): Promise<readonly string[]>;
  delete(keys: readonly string[]): Promise<void>;
}

/** The store over a backend: versioned values, and the host's failures in our words. */
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
