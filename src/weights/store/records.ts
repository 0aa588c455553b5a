// The small JSON records of a package in the store: its manifest, and the note of its last use. A record that cannot be read counts as absent.
import { errorCodeOf } from "#engine/errors.ts";
import { parsePackageManifest, type PackageManifest } from "#weights/manifest.ts";
import { manifestKey, noteKey } from "./keys.ts";
import { unlessStoreFails, type ShardStore } from "./store.ts";

/** The stored manifest; undefined where there is none that parses. */
export async function readStoredManifest(store: ShardStore, id: string): Promise<PackageManifest | undefined> {
  const parsed = parsePackageManifest(await readJson(await getReadable(store, manifestKey(id))));
  return parsed.ok ? parsed.manifest : undefined;
}

/** When a package was used and where it came from. */
export interface UseNote {
  /** Milliseconds since 1970; absent when the package was never loaded. */
  readonly usedAt?: number;
  /** Where it was fetched from; "" when it was imported from a file. */
  readonly baseUrl: string;
}

/** Stores the note; a store that fails is no error. */
export async function writeUseNote(store: ShardStore, id: string, note: UseNote): Promise<void> {
  await unlessStoreFails(store.put(noteKey(id), new Blob([JSON.stringify(note)])), undefined);
}

export async function readUseNote(store: ShardStore, id: string): Promise<UseNote> {
  const note = await readJson(await getReadable(store, noteKey(id)));
  if (typeof note !== "object" || note === null) return { baseUrl: "" };
  return {
    baseUrl: "baseUrl" in note && typeof note.baseUrl === "string" ? note.baseUrl : "",
    ...("usedAt" in note && typeof note.usedAt === "number" ? { usedAt: note.usedAt } : {}),
  };
}

/** The Blob; undefined where it cannot be read any more, so that one damaged record does not hide the others. */
export async function getReadable(store: ShardStore, key: string): Promise<Blob | undefined> {
  try {
    return await store.get(key);
  } catch (error) {
    if (errorCodeOf(error) !== "storage") throw error;
    return undefined;
  }
}

/** The parsed content; undefined without a Blob or where it is not JSON. */
export async function readJson(blob: Blob | undefined): Promise<unknown> {
  try {
    return blob && JSON.parse(await blob.text());
  } catch {
    return undefined;
  }
}
