// A package as a whole in the store: whether it is complete, its deletion, and deleting what is left of its other versions.
import { isStorageFailure, unlessStoreFails, type ShardStore } from "./store.ts";
import { manifestKey, packagePrefix, packageShards } from "./keys.ts";
import { parsePackageManifest } from "#weights/manifest.ts";

/** Whether everything that the package's stored manifest lists is stored: by key, the bytes are not verified. */
export async function isPackageStored(packageId: string, store: ShardStore): Promise<boolean> {
  try {
    const keys = new Set(await store.keys());
    const blob = await store.get(manifestKey(packageId));
    if (!blob) return false;
    const parsed = parsePackageManifest(JSON.parse(await blob.text()));
    return parsed.ok && packageShards(packageId, parsed.manifest).every(({ key }) => keys.has(key));
  } catch (error) {
    if (error instanceof SyntaxError || isStorageFailure(error)) return false;
    throw error;
  }
}

/** Deletes everything that is stored of a package. A store that fails is no error. */
export async function removePackage(packageId: string, store: ShardStore): Promise<void> {
  await unlessStoreFails(
    deleteOthers(store, packageId, () => false),
    undefined,
  );
}

/** Deletes the package's keys except those to keep. Throws "storage". */
export async function deleteOthers(
  store: ShardStore,
  packageId: string,
  keep: (key: string) => boolean,
): Promise<void> {
  const keys = await store.keys();
  const others = keys.filter((key) => key.startsWith(packagePrefix(packageId)) && !keep(key));
  if (others.length > 0) await store.delete(others);
}
