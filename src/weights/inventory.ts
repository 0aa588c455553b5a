// What is stored: the packages and their sizes, whether an adapter fits one, and a check of every byte. Knows no network.
import {
  isAdapterManifest,
  manifestName,
  packageBytes,
  parsePackageManifest,
  type PackageArchitecture,
  type PackageManifest,
} from "./manifest.ts";
import { journalKey, packageOf, packageShards } from "#weights/store/keys.ts";
import { getReadable, readJson, readStoredManifest, readUseNote } from "#weights/store/records.ts";
import { blobMatches } from "#weights/store/sha256.ts";
import type { ShardStore } from "#weights/store/store.ts";
import { readUnfinished, type UnfinishedConversion } from "#weights/store/unfinished.ts";

/** A package of which at least a part is stored. */
export interface StoredPackageInfo {
  readonly id: string;
  /** "" while the manifest is not stored. */
  readonly name: string;
  /** Decides what runs the package; undefined while the manifest is not stored. */
  readonly architecture: PackageArchitecture | undefined;
  readonly license: string;
  /** Pieces of unfinished shards included. */
  readonly storedBytes: number;
  /** Bytes of the whole package; undefined while the manifest is not stored. */
  readonly totalBytes: number | undefined;
  readonly complete: boolean;
  /** Milliseconds since 1970; undefined when it was never loaded. */
  readonly usedAt: number | undefined;
  /** Where it was fetched from; "" when it was imported from a file. */
  readonly baseUrl: string;
  /** A checkpoint is being converted into it, now or in an earlier visit; a finished package of the same id stays until then. */
  readonly unfinished?: UnfinishedConversion | undefined;
  /** An adapter and the packages that it fits have the same value; undefined for models that no adapter fits. */
  readonly fits?: string | undefined;
  /** Of an adapter: the name of the package that it was made for. */
  readonly baseName?: string | undefined;
}

/** `fits` and `baseName` of a StoredPackageInfo. */
function adapterFacts(manifest: PackageManifest | undefined): Pick<StoredPackageInfo, "fits" | "baseName"> {
  if (manifest === undefined) return {};
  if (isAdapterManifest(manifest)) return { fits: manifest.adapter.fits, baseName: manifest.adapter.baseName };
  const fits = "graphs" in manifest ? manifest.graphs.decoder.adaptable?.fits : undefined;
  return fits === undefined ? {} : { fits };
}

/** Whether an adapter is stored that fits the package with this manifest. */
export async function hasAdapter(store: ShardStore, json: unknown): Promise<boolean> {
  const parsed = parsePackageManifest(json);
  const fits = parsed.ok && !isAdapterManifest(parsed.manifest) ? adapterFacts(parsed.manifest).fits : undefined;
  if (fits === undefined) return false;
  for (const key of await store.keys()) {
    if (!key.endsWith(`/${manifestName}`)) continue;
    const other = parsePackageManifest(await readJson(await getReadable(store, key)));
    if (other.ok && isAdapterManifest(other.manifest) && other.manifest.adapter.fits === fits) return true;
  }
  return false;
}

/** Every package of which something is stored, sorted by id. */
export async function listPackages(store: ShardStore): Promise<readonly StoredPackageInfo[]> {
  const keys = await store.keys();
  const owners = keys.map(packageOf);
  const ids = [...new Set(owners.filter((id) => id !== undefined))].sort();
  const infos: StoredPackageInfo[] = [];
  for (const id of ids) {
    const own = keys.filter((_, i) => owners[i] === id);
    let storedBytes = 0;
    for (const key of own) storedBytes += (await getReadable(store, key))?.size ?? 0;
    const manifest = await readStoredManifest(store, id);
    const { usedAt, baseUrl } = await readUseNote(store, id);
    const unfinished = own.includes(journalKey(id)) ? await readUnfinished(store, id) : undefined;
    infos.push({
      id,
      name: manifest?.model.name ?? "",
      architecture: manifest?.model.architecture,
      license: manifest?.model.license ?? "",
      storedBytes,
      totalBytes: manifest && packageBytes(manifest),
      complete: manifest !== undefined && packageShards(id, manifest).every(({ key }) => own.includes(key)),
      usedAt,
      baseUrl,
      ...(unfinished ? { unfinished } : {}),
      ...adapterFacts(manifest),
    });
  }
  return infos;
}

/** Verifies every byte. Damaged shards are deleted, so that the next load fetches them alone. Resolves with the numbers of shards. */
export async function verifyPackage(
  store: ShardStore,
  id: string,
  onProgress?: (loaded: number, total: number) => Promise<void> | void,
): Promise<{ readonly damaged: number; readonly missing: number }> {
  const manifest = await readStoredManifest(store, id);
  if (!manifest) return { damaged: 0, missing: 1 };
  const total = packageBytes(manifest);
  let [loaded, damaged, missing] = [0, 0, 0];
  const held = new Set(await store.keys());
  for (const { key, shard } of packageShards(id, manifest)) {
    const blob = await getReadable(store, key);
    if (!blob && !held.has(key)) missing++;
    else if (!blob || !(await blobMatches(blob, shard))) {
      damaged++;
      await store.delete([key]);
    }
    loaded += shard.bytes;
    await onProgress?.(loaded, total);
  }
  return { damaged, missing };
}
