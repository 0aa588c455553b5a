// Imports a package from a zip file or from its files: finds it, verifies every shard, and stores it.
import { EngineError } from "#engine/errors.ts";
import { readPackageZip, type ZippedFile } from "#formats/package-zip.ts";
import { manifestName, packageBytes, parsePackageManifest, type PackageManifest } from "./manifest.ts";
import { manifestKey, noteKey, packageShards, shardKey } from "#weights/store/keys.ts";
import { readJson, readUseNote, writeUseNote } from "#weights/store/records.ts";
import { blobMatches } from "#weights/store/sha256.ts";
import { deleteOthers } from "#weights/store/stored-package.ts";
import type { ShardStore } from "#weights/store/store.ts";

export type ImportedPackage =
  | { readonly ok: true; readonly id: string; readonly name: string }
  | { readonly ok: false; readonly problem: "not-a-package" | "incomplete" | "damaged"; readonly path: string };

/** A package that was found in what was given; none of it is verified or stored yet. */
export interface OpenedPackage {
  readonly manifest: PackageManifest;
  readonly manifestBlob: Blob;
  readonly files: ReadonlyMap<string, ZippedFile>;
}

/** In bytes; a manifest is far shorter. */
const longestManifest = 64 * 2 ** 20;

/** Finds the package in its zip file, or among its files by path; undefined when there is none that can be read. */
export async function openPackage(given: Blob | ReadonlyMap<string, Blob>): Promise<OpenedPackage | undefined> {
  const files = withoutFolder(given instanceof Blob ? await readPackageZip(given) : asZipped(given));
  const listed = files?.get(manifestName);
  if (!files || !listed || listed.bytes > longestManifest) return undefined;
  const manifestBlob = await listed.read();
  const parsed = parsePackageManifest(await readJson(manifestBlob));
  return manifestBlob && parsed.ok ? { manifest: parsed.manifest, manifestBlob, files } : undefined;
}

/** Verifies and stores an opened package; where that fails nothing of it stays stored. Throws "quota" or "storage". */
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
    // A copy: the Blob is a handle on the given file, which may be deleted.
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
      // A file of another length than the manifest's need not be unpacked.
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
  // Shards of other versions of the package, and pieces of unfinished shards.
  const keys = new Set([manifestKey(id), noteKey(id), ...packageShards(id, manifest).map(({ key }) => key)]);
  await deleteOthers(store, id, (key) => keys.has(key));
  await writeUseNote(store, id, await readUseNote(store, id));
  return { ok: true, id, name };
}

const asZipped = (files: ReadonlyMap<string, Blob>): ReadonlyMap<string, ZippedFile> =>
  new Map([...files].map(([path, blob]) => [path, { bytes: blob.size, read: () => Promise.resolve(blob) }]));

/** The files relative to the package's folder, which is often part of the zip. Of several packages the outermost is taken. */
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
