// What is stored: the packages, their sizes, and a look at every byte; one out as a file, one in from files. Knows no network.
import { EngineError, errorCodeOf } from "#engine/errors.ts";
import { packageKeys } from "#weights/download/ensure.ts";
import {
  isAdapterManifest,
  manifestName,
  packageBytes,
  parsePackageManifest,
  type PackageManifest,
} from "./manifest.ts";
import { noteKey, packageOf, packagePrefix, shardKey, type ShardStore } from "#weights/store/store.ts";
import { blobMatches } from "#weights/download/verify.ts";
import { readPackageZip, writeStoredZip, type ZippedFile } from "#formats/package-zip.ts";

export interface StoredPackageInfo {
  readonly id: string;
  /** "" while the manifest is not here yet. */
  readonly name: string;
  /** What runs it; undefined while the manifest is not here yet. */
  readonly architecture: PackageManifest["model"]["architecture"] | undefined;
  readonly license: string;
  /** Bytes in storage, pieces of unfinished shards included. */
  readonly storedBytes: number;
  /** Bytes of the whole package; undefined while nobody knows. */
  readonly totalBytes: number | undefined;
  readonly complete: boolean;
  /** Milliseconds since 1970; undefined when it was never loaded. */
  readonly usedAt: number | undefined;
  /** Where it was fetched from; "" when it came from a file. */
  readonly baseUrl: string;
  /** The same of an adapter and of the packages that it runs beside; undefined for models that no adapter fits. */
  readonly fits?: string | undefined;
  /** Of an adapter: what the package that it was made for is called. */
  readonly baseName?: string | undefined;
}

/** `fits` and `baseName` of a StoredPackageInfo. */
function adapterFacts(manifest: PackageManifest | undefined): Pick<StoredPackageInfo, "fits" | "baseName"> {
  if (manifest === undefined) return {};
  if (isAdapterManifest(manifest)) return { fits: manifest.adapter.fits, baseName: manifest.adapter.baseName };
  const fits = "graphs" in manifest ? manifest.graphs.decoder.adaptable?.fits : undefined;
  return fits === undefined ? {} : { fits };
}

/** Whether an adapter is stored that runs beside this package. */
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

/** What is kept beside a package's files. */
interface UseNote {
  readonly usedAt?: number;
  readonly baseUrl: string;
}

/** Remembers when the package was loaded and where it comes from; a store that fails forgets. */
export async function noteUse(store: ShardStore, id: string, note: UseNote): Promise<void> {
  try {
    await store.put(noteKey(id), new Blob([JSON.stringify(note)]));
  } catch (error) {
    const code = errorCodeOf(error);
    if (code !== "storage" && code !== "quota") throw error;
  }
}

/** A record that the host can't read any more is as if it were not there: it hides none of the others. */
async function getReadable(store: ShardStore, key: string): Promise<Blob | undefined> {
  try {
    return await store.get(key);
  } catch (error) {
    if (errorCodeOf(error) !== "storage") throw error;
    return undefined;
  }
}

const manifestKey = (id: string): string => `${packagePrefix(id)}${manifestName}`;

async function readNote(store: ShardStore, id: string): Promise<UseNote> {
  const note = await readJson(await getReadable(store, noteKey(id)));
  if (typeof note !== "object" || note === null) return { baseUrl: "" };
  return {
    baseUrl: "baseUrl" in note && typeof note.baseUrl === "string" ? note.baseUrl : "",
    ...("usedAt" in note && typeof note.usedAt === "number" ? { usedAt: note.usedAt } : {}),
  };
}

/** When the package was last loaded, in milliseconds since 1970; undefined when it never was. */
export async function lastUse(store: ShardStore, id: string): Promise<number | undefined> {
  return (await readNote(store, id)).usedAt;
}

async function readJson(blob: Blob | undefined): Promise<unknown> {
  try {
    return blob && JSON.parse(await blob.text());
  } catch {
    return undefined; // Damaged: as if it were not there.
  }
}

async function readManifest(store: ShardStore, id: string): Promise<PackageManifest | undefined> {
  const parsed = parsePackageManifest(await readJson(await getReadable(store, manifestKey(id))));
  return parsed.ok ? parsed.manifest : undefined;
}

/** Every package of which something is stored, by id. */
export async function listPackages(store: ShardStore): Promise<readonly StoredPackageInfo[]> {
  const keys = await store.keys();
  const owners = keys.map(packageOf);
  const ids = [...new Set(owners.filter((id) => id !== undefined))].sort();
  const infos: StoredPackageInfo[] = [];
  for (const id of ids) {
    const own = keys.filter((_, i) => owners[i] === id);
    let storedBytes = 0;
    for (const key of own) storedBytes += (await getReadable(store, key))?.size ?? 0;
    const manifest = await readManifest(store, id);
    const { usedAt, baseUrl } = await readNote(store, id);
    infos.push({
      id,
      name: manifest?.model.name ?? "",
      architecture: manifest?.model.architecture,
      license: manifest?.model.license ?? "",
      storedBytes,
      totalBytes: manifest && packageBytes(manifest),
      complete: manifest !== undefined && packageKeys(id, manifest).every(({ key }) => own.includes(key)),
      usedAt,
      baseUrl,
      ...adapterFacts(manifest),
    });
  }
  return infos;
}

/** Reads every byte; shards with wrong ones are deleted, so that the next load fetches only them. Gives how many there were. */
export async function verifyPackage(
  store: ShardStore,
  id: string,
  onProgress?: (loaded: number, total: number) => Promise<void> | void,
): Promise<{ readonly damaged: number; readonly missing: number }> {
  const manifest = await readManifest(store, id);
  if (!manifest) return { damaged: 0, missing: 1 };
  const total = packageBytes(manifest);
  let [loaded, damaged, missing] = [0, 0, 0];
  const held = new Set(await store.keys());
  for (const { key, shard } of packageKeys(id, manifest)) {
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

/** The whole package as one zip; "incomplete" when a part of it is not here. */
export async function exportPackage(store: ShardStore, id: string): Promise<Blob | "incomplete" | "too-large"> {
  const manifest = await readManifest(store, id);
  const json = await getReadable(store, manifestKey(id));
  if (!manifest || !json) return "incomplete";
  const files = new Map<string, Blob>([[manifestName, json]]);
  for (const file of manifest.files) {
    const parts: Blob[] = [];
    for (const [index, shard] of file.shards.entries()) {
      const blob = await getReadable(store, shardKey(id, file.path, index, shard.sha256));
      if (!blob) return "incomplete";
      parts.push(blob);
    }
    files.set(file.path, new Blob(parts));
  }
  return writeStoredZip(files);
}

export type ImportedPackage =
  | { readonly ok: true; readonly id: string; readonly name: string }
  | { readonly ok: false; readonly problem: "not-a-package" | "incomplete" | "damaged"; readonly path: string };

/** A package in a file or in files, looked at but not yet stored. */
export interface OpenedPackage {
  readonly manifest: PackageManifest;
  readonly manifestBlob: Blob;
  readonly files: ReadonlyMap<string, ZippedFile>;
}

/** No manifest is longer. */
const longestManifest = 64 * 2 ** 20;

/** Finds the package in a zip of it, or among its files by path; undefined when there is none that can be read. */
export async function openPackage(given: Blob | ReadonlyMap<string, Blob>): Promise<OpenedPackage | undefined> {
  const files = withoutFolder(given instanceof Blob ? await readPackageZip(given) : asZipped(given));
  const listed = files?.get(manifestName);
  if (!files || !listed || listed.bytes > longestManifest) return undefined;
  const manifestBlob = await listed.read();
  const parsed = parsePackageManifest(await readJson(manifestBlob));
  return manifestBlob && parsed.ok ? { manifest: parsed.manifest, manifestBlob, files } : undefined;
}

/** Stores an opened package; nothing is kept of one that is not right. Throws "quota". */
export async function importPackage(
  store: ShardStore,
  { manifest, manifestBlob, files }: OpenedPackage,
  onProgress?: (loaded: number, total: number) => Promise<void> | void,
): Promise<ImportedPackage> {
  const { id, name } = manifest.model;
  const total = packageBytes(manifest);
  const before = new Set(await store.keys());
  const added: string[] = [];
  let loaded = 0;
  const put = async (key: string, blob: Blob): Promise<void> => {
    if (!before.has(key)) added.push(key);
    // A copy, or the file it comes from would have to stay where it is.
    await store.put(key, new Blob([await blob.arrayBuffer()]));
  };
  const refuse = async (problem: "incomplete" | "damaged", path: string): Promise<ImportedPackage> => {
    await store.delete(added);
    return { ok: false, problem, path };
  };
  try {
    for (const file of manifest.files) {
      const zipped = files.get(file.path);
      if (!zipped) return await refuse("incomplete", file.path);
      // One that is longer than the manifest says need not be unpacked.
      const content = zipped.bytes === file.bytes ? await zipped.read() : undefined;
      if (!content) return await refuse("damaged", file.path);
      for (const [index, shard] of file.shards.entries()) {
        const blob = content.slice(shard.offset, shard.offset + shard.bytes);
        if (!(await blobMatches(blob, shard))) return await refuse("damaged", file.path);
        await put(shardKey(id, file.path, index, shard.sha256), blob);
        loaded += shard.bytes;
        await onProgress?.(loaded, total);
      }
    }
    await put(manifestKey(id), manifestBlob);
  } catch (error) {
    await store.delete(added).catch(() => undefined);
    throw error instanceof EngineError ? error : new EngineError("storage", String(error), { cause: error });
  }
  await dropOtherShards(store, id, manifest);
  const { usedAt, baseUrl } = await readNote(store, id);
  await noteUse(store, id, { baseUrl, ...(usedAt === undefined ? {} : { usedAt }) });
  return { ok: true, id, name };
}

/** Shards of another version of the package, and pieces of unfinished ones, which nothing reads any more. */
async function dropOtherShards(store: ShardStore, id: string, manifest: PackageManifest): Promise<void> {
  const kept = new Set([manifestKey(id), noteKey(id), ...packageKeys(id, manifest).map(({ key }) => key)]);
  const keys = await store.keys();
  await store.delete(keys.filter((key) => key.startsWith(packagePrefix(id)) && !kept.has(key)));
}

const asZipped = (files: ReadonlyMap<string, Blob>): ReadonlyMap<string, ZippedFile> =>
  new Map([...files].map(([path, blob]) => [path, { bytes: blob.size, read: () => Promise.resolve(blob) }]));

/** A package is often packed together with its folder; of several folders, the outermost counts. */
function withoutFolder(
  files: ReadonlyMap<string, ZippedFile> | undefined,
): ReadonlyMap<string, ZippedFile> | undefined {
  const manifests = [...(files?.keys() ?? [])].filter(
    (path) => path === manifestName || path.endsWith(`/${manifestName}`),
  );
  const manifest = manifests.sort((a, b) => a.length - b.length)[0];
  if (!files || manifest === undefined) return files;
  const folder = manifest.slice(0, -manifestName.length);
  return new Map(
    [...files].filter(([path]) => path.startsWith(folder)).map(([path, file]) => [path.slice(folder.length), file]),
  );
}
