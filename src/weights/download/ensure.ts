// Makes a package ready to load: verifies what is stored, and fetches, verifies and stores what is missing or damaged.
// Knows no browser: the store and the free space are handed in, and the caller has asked for persistent storage.
import { EngineError, errorCodeOf } from "#engine/errors.ts";
import { isNeeded, type PackageManifest } from "#weights/manifest.ts";
import { isPieceOf, manifestKey, noteKey, packageShards, shardKey, type KeyedShard } from "#weights/store/keys.ts";
import { blobMatches } from "#weights/store/sha256.ts";
import { unlessStoreFails, type ShardStore } from "#weights/store/store.ts";
import { deleteOthers } from "#weights/store/stored-package.ts";
import { createBlobWriter, type BlobWriter } from "./blob-writer.ts";
import { fetchShards, tryToFetchShards, type FetchOptions } from "./fetch-shards.ts";
import type { HubPrecision } from "./hub-plan.ts";
import { createProgressReporter, type OnProgress, type ProgressReporter } from "./progress.ts";
import {
  isManifestStored,
  readManifest,
  readOtherManifest,
  type PackageSource,
  type ReadManifest,
} from "./read-manifest.ts";

/** What the host offers. */
export interface WeightsHost {
  readonly store: ShardStore;
  /** Bytes that may still be stored; undefined where the host does not know. */
  readonly room: () => Promise<number | undefined>;
  /** What this device computes with, for repositories that offer a choice of files; default "cpu". */
  readonly precision?: () => Promise<HubPrecision>;
}

export interface EnsureOptions extends FetchOptions {
  readonly onProgress?: OnProgress;
  /** Rejects with "quota" or "storage" where the package cannot be stored, instead of keeping it in memory; default false. */
  readonly mustStore?: boolean;
}

/** A package ready to load: a Blob per file (handles, not bytes, when `persisted`). */
export interface EnsuredPackage {
  readonly persisted: boolean;
  /** Parse it again on the other side of a worker. */
  readonly manifest: unknown;
  readonly files: ReadonlyMap<string, Blob>;
  /** Files that no answer needs, whose stored bytes are wrong and which could not be fetched now; they are not among `files`. */
  readonly leftOut: readonly string[];
}

/** Resolves when every shard is here and verified; rejects with an EngineError, or with the signal's reason. */
export async function ensurePackage(
  source: PackageSource,
  host: WeightsHost,
  options: EnsureOptions = {},
): Promise<EnsuredPackage> {
  let reporting = Promise.resolve();
  const onSilence = (silences: number): void => {
    reporting = reporting.then(async () => await options.onProgress?.({ loaded: 0, total: 0, stored: 0, silences }));
  };
  const read = await readManifest(source, host.store, host.precision, { ...options, onSilence });
  await reporting;
  try {
    return await ensureFiles(source, host, options, read);
  } catch (error) {
    options.signal?.throwIfAborted();
    const other = isUnreachable(error) ? await readOtherManifest(source, host.store, options, read) : undefined;
    if (!other) throw error;
    return await ensureFiles(source, host, options, other);
  }
}

async function ensureFiles(
  source: PackageSource,
  host: WeightsHost,
  options: EnsureOptions,
  read: ReadManifest,
): Promise<EnsuredPackage> {
  const { store } = host;
  const { manifest } = read;
  const shards = packageShards(source.id, manifest);
  const progress = createProgressReporter(
    shards.reduce((sum, { shard }) => sum + shard.bytes, 0),
    options.onProgress,
  );
  await progress.report();
  const { blobs, missing } = await readStoredShards(shards, store, read.fetched, progress, options.signal);

  // Where only files are missing that no answer needs, the package loads without them if they cannot be fetched.
  const isUsable = missing.every(({ file }) => !isNeeded(manifest, file.path));
  if (!isUsable && source.baseUrl === "")
    throw new EngineError("bad-package", `${source.id} came from a file, and a part of it is gone: import it again`);
  const persist = missing.length === 0 || (await hasRoom(host, source.id, shards, missing));
  const { mustStore = false } = options;
  if (!persist && mustStore)
    throw new EngineError("quota", `there is no room to store what is missing of ${source.id}`);
  const writer = createBlobWriter(store, persist, mustStore);

  const target = { filesUrl: read.filesUrl, store, writer, progress, blobs };
  let leftOut: ReadonlySet<string> = new Set();
  try {
    if (!isUsable) await fetchShards(missing, target, options);
    else if (source.baseUrl !== "") leftOut = await tryToFetchShards(missing, target, options, isUnreachable);
    else leftOut = new Set(missing.map(({ file }) => file.path));
  } finally {
    await progress.settled();
  }

  // Without the files that are left out, a newer version would be incomplete: the stored one stays until the newer one is whole.
  if (writer.persisted && leftOut.size === 0) await storeManifest(source.id, store, read.manifestBlob, shards, writer);
  const files = joinFiles(source.id, manifest, blobs, leftOut);
  return { persisted: writer.persisted, manifest: read.json, files, leftOut: [...leftOut] };
}

/** Errors of a server that is not there, or does not have the file. */
function isUnreachable(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === "network" || code === "http" || code === "integrity";
}

/** Splits the shards into those whose stored (or already fetched) bytes are right, and those that are missing. */
async function readStoredShards(
  shards: readonly KeyedShard[],
  store: ShardStore,
  fetched: ReadonlyMap<string, Blob> | undefined,
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
): Promise<{ readonly blobs: Map<string, Blob>; readonly missing: readonly KeyedShard[] }> {
  const blobs = new Map<string, Blob>();
  const missing: KeyedShard[] = [];
  for (const keyed of shards) {
    signal?.throwIfAborted();
    const { file, shard, key } = keyed;
    const stored = await unlessStoreFails(store.get(key), undefined);
    const blob = stored ?? fetched?.get(file.path);
    // A file that was fetched with its manifest stays in memory where it cannot be stored.
    if (!stored && blob) await unlessStoreFails(store.put(key, blob), undefined);
    if (blob && (await blobMatches(blob, shard))) {
      blobs.set(key, blob);
      await progress.addStored(shard.bytes);
    } else {
      missing.push(keyed);
    }
  }
  return { blobs, missing };
}

/** False when the missing shards do not fit, also after the package's older version has been deleted. */
async function hasRoom(
  host: WeightsHost,
  packageId: string,
  shards: readonly KeyedShard[],
  missing: readonly KeyedShard[],
): Promise<boolean> {
  const needed = missing.reduce((sum, { shard }) => sum + shard.bytes, 0);
  const fits = async (): Promise<boolean> => needed <= ((await host.room()) ?? Infinity);
  if (await fits()) return true;
  const keys = new Set(shards.map(({ key }) => key));
  const missingKeys = new Set(missing.map(({ key }) => key));
  const keep = (key: string): boolean => keys.has(key) || isPieceOf(key, missingKeys);
  await unlessStoreFails(deleteOthers(host.store, packageId, keep), undefined);
  return fits();
}

/** Stores the manifest of a package that is whole, and deletes what is left of other versions. */
async function storeManifest(
  packageId: string,
  store: ShardStore,
  manifestBlob: Blob,
  shards: readonly KeyedShard[],
  writer: BlobWriter,
): Promise<void> {
  if (!(await isManifestStored(store, packageId, manifestBlob)))
    await writer.write(manifestKey(packageId), manifestBlob);
  const keys = new Set([manifestKey(packageId), noteKey(packageId), ...shards.map(({ key }) => key)]);
  // What cannot be deleted only takes room.
  await unlessStoreFails(
    deleteOthers(store, packageId, (key) => keys.has(key)),
    undefined,
  );
}

/** Each file as one Blob over its shards. */
function joinFiles(
  packageId: string,
  manifest: PackageManifest,
  blobs: ReadonlyMap<string, Blob>,
  leftOut: ReadonlySet<string>,
): ReadonlyMap<string, Blob> {
  return new Map(
    manifest.files.flatMap((file) => {
      if (leftOut.has(file.path)) return [];
      const parts = file.shards.map((shard, index) => blobs.get(shardKey(packageId, file.path, index, shard.sha256)));
      return [[file.path, new Blob(parts.filter((part) => part !== undefined))]];
    }),
  );
}
