// Brings a package here: what is stored is verified, what is missing or damaged is fetched, verified and stored. The manifest is the
// server's; for a repository on a model hub that has none, it is made of the hashes that the hub publishes.
// Knows no browser: the store and the room left are handed in; whoever calls has asked that what is stored is kept.
import { EngineError, errorCodeOf } from "#engine/errors.ts";
import { createFileDownload, emptyShard, type DownloadOptions, type PartialShard } from "./download.ts";
import {
  isHubManifest,
  isNeeded,
  manifestName,
  parsePackageManifest,
  type ManifestFile,
  type PackageManifest,
  type Shard,
} from "#weights/manifest.ts";
import { hubAddress, hubFilesUrl, hubManifest, planHubPackage, type HubPrecision } from "./hub.ts";
import { createPieceKeeper, isPieceOf, readPieces } from "./pieces.ts";
import { requestBytes, type RequestOptions } from "./request.ts";
import { noteKey, packagePrefix, shardKey, type ShardStore } from "#weights/store/store.ts";
import { blobMatches, sha256Hex } from "./verify.ts";

/** What the machine around offers. */
export interface WeightsHost {
  readonly store: ShardStore;
  /** Bytes that may still be stored; undefined when nobody knows. */
  readonly room: () => Promise<number | undefined>;
  /** What this device computes with, for repositories that offer a choice of files; "cpu" where it is not told. */
  readonly precision?: () => Promise<HubPrecision>;
}

export interface PackageSource {
  readonly id: string;
  /** Absolute URL of the package folder, ending with a slash; "" for a package that came from a file. */
  readonly baseUrl: string;
}

/** Verified bytes of the whole package so far; `stored` of them were here before. */
export interface EnsureProgress {
  readonly loaded: number;
  readonly total: number;
  readonly stored: number;
  /** How often in a row nothing came for a while; absent while bytes come. */
  readonly silences?: number;
}

export interface EnsureOptions extends Omit<DownloadOptions, "onBytes" | "fresh" | "onSilence"> {
  readonly onProgress?: (progress: EnsureProgress) => Promise<void> | void;
  /** Shards that an earlier call left half fetched, by key; kept up to date for the next one. */
  readonly partials?: Map<string, PartialShard>;
  /** How many bytes of a shard may be lost with a closed tab: each time so many have come they are stored; default 4 MiB. */
  readonly keepEveryBytes?: number;
  /** Requests at a time; default 3. */
  readonly parallel?: number;
  /** Rejects with "quota" or "storage" where the package can't be stored, instead of keeping it in memory; default false. */
  readonly mustStore?: boolean;
}

/** A package ready to load: a Blob per file (handles, not bytes, when `persisted`). */
export interface EnsuredPackage {
  readonly persisted: boolean;
  /** As it was fetched; parse it again on the other side of a worker. */
  readonly manifest: unknown;
  readonly files: ReadonlyMap<string, Blob>;
  /** Files that no answer needs, whose stored bytes are wrong and which could not be fetched now; they are not among `files`. */
  readonly leftOut: readonly string[];
}

/** Bytes arrive in small runs; whoever watches needs fewer. */
const reportEveryMs = 100;

/** A shard, the file it is of, and where it is stored. */
export interface Wanted {
  readonly file: ManifestFile;
  readonly shard: Shard;
  readonly key: string;
}

/** A manifest as it came, and what it says. */
interface ReadManifest {
  readonly json: unknown;
  readonly manifest: PackageManifest;
  readonly manifestBlob: Blob;
  /** Where the files are, "" when nowhere but here. */
  readonly filesUrl: string;
  /** Files that are here already because the manifest had to be made of them. */
  readonly fetched?: ReadonlyMap<string, Blob>;
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
  const read = await readManifest(source, host, { ...options, onSilence });
  await reporting;
  try {
    return await ensureFiles(source, host, options, read);
  } catch (error) {
    options.signal?.throwIfAborted();
    const code = errorCodeOf(error);
    const other =
      code === "integrity" || code === "http" || code === "network"
        ? await otherManifest(source, host.store, options, read)
        : undefined;
    if (!other) throw error;
    return await ensureFiles(source, host, options, other);
  }
}

async function ensureFiles(
  source: PackageSource,
  host: WeightsHost,
  options: EnsureOptions,
  { json, manifest, manifestBlob, filesUrl, fetched }: ReadManifest,
): Promise<EnsuredPackage> {
  const { signal, onProgress } = options;
  const manifestKey = manifestKeyOf(source);
  const wanted = packageKeys(source.id, manifest);
  const total = wanted.reduce((sum, { shard }) => sum + shard.bytes, 0);
  let loaded = 0;
  let stored = 0;
  const report = async (): Promise<void> => await onProgress?.({ loaded, total, stored });
  await report();

  const blobs = new Map<string, Blob>();
  const missing: Wanted[] = [];
  for (const want of wanted) {
    signal?.throwIfAborted();
    const blob = (await getIfStorable(host.store, want.key)) ?? (await keepFetched(host.store, want, fetched));
    if (blob && (await blobMatches(blob, want.shard))) {
      blobs.set(want.key, blob);
      loaded += want.shard.bytes;
      stored += want.shard.bytes;
      await report();
    } else {
      missing.push(want);
    }
  }

  let persisted = true;
  /** `makeRoom` is called once when the quota is out, and tells whether there is more now. */
  const keep = async (key: string, blob: Blob, makeRoom?: () => Promise<boolean> | undefined): Promise<Blob> => {
    if (!persisted) return blob;
    try {
      await host.store.put(key, blob);
      // The stored Blob is a handle; the one at hand holds its bytes in memory.
      return (await host.store.get(key)) ?? blob;
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      if (errorCodeOf(error) === "quota" && (await makeRoom?.()) === true) return keep(key, blob);
      if (options.mustStore === true) throw error;
      persisted = false;
      return blob;
    }
  };

  /** All that answers need was stored before: then a file that they do not need keeps nobody from asking. */
  const alreadyHere = missing.every(({ file }) => !isNeeded(manifest, file.path));
  if (!alreadyHere && source.baseUrl === "")
    throw new EngineError("bad-package", `${source.id} came from a file, and a part of it is gone: import it again`);
  if (missing.length > 0) persisted = await hasRoom(host, source.id, wanted, missing);
  if (!persisted && options.mustStore === true)
    throw new EngineError("quota", `there is no room to store what is missing of ${source.id}`);
  const { keepEveryBytes = 4 * 2 ** 20 } = options;
  const longest = missing.reduce((most, { shard }) => Math.max(most, shard.bytes), 0);
  // A shard is in memory until it is verified.
  const parallel = longest > longestForParallel ? 1 : (options.parallel ?? 3);
  const partials = options.partials ?? new Map<string, PartialShard>();
  const storedKeys = missing.length > 0 ? await keysIfStorable(host.store) : [];
  // The first failure ends the other requests too.
  const others = new AbortController();
  const stopped = signal ? AbortSignal.any([signal, others.signal]) : others.signal;
  let seen = loaded;
  let reporting = Promise.resolve();
  let reportedAt = 0;
  let silences = 0;
  const onBytes = (bytes: number): void => {
    seen += bytes;
    if (silences > 0) reportedAt = silences = 0;
    if (Date.now() - reportedAt < reportEveryMs) return;
    reportedAt = Date.now();
    reportSeen();
  };
  const reportSeen = (): void => {
    // Bytes that turn out wrong come twice.
    const now = { loaded: Math.min(seen, total), total, stored, ...(silences > 0 ? { silences } : {}) };
    reporting = reporting.then(async () => await onProgress?.(now));
  };
  /** Of several connections that stand still, the one that does longest counts; one that brings bytes speaks for all. */
  const onSilence = (times: number): void => {
    silences = Math.max(silences, times);
    reportSeen();
  };

  const fetchRun = async ({ file, shards }: Run, options: EnsureOptions): Promise<void> => {
    const url = new URL(file.path, filesUrl).href;
    let arrived = (): void => undefined;
    const download = createFileDownload(url, file.bytes, {
      ...options,
      signal: stopped,
      onSilence,
      onBytes(bytes) {
        onBytes(bytes);
        arrived();
      },
    });
    try {
      for (const { shard, key } of shards) {
        const resumed = partials.get(key) ?? (await readPieces(host.store, storedKeys, key, shard.bytes));
        const partial = resumed ?? emptyShard(shard.bytes);
        partials.set(key, partial);
        seen += partial.received;
        const pieces = persisted ? createPieceKeeper(host.store, key, resumed) : undefined;
        let failure: { readonly error: unknown } | undefined;
        const keepPieces = (atLeast: number): void => {
          pieces?.keep(partial, atLeast).catch((error: unknown) => (failure = { error }));
        };
        arrived = () => {
          // A whole shard is verified and stored as one.
          if (partial.received < shard.bytes) keepPieces(keepEveryBytes);
        };
        try {
          await download.read(shard.offset, partial);
        } finally {
          arrived = () => undefined;
          // What a Stop or a failure leaves behind is there for the next visit.
          if (partial.received < shard.bytes) await pieces?.keep(partial, 1);
        }
        if (failure) throw failure.error;
        partials.delete(key);
        let { bytes } = partial;
        if ((await sha256Hex(bytes)) !== shard.sha256) {
          await pieces?.drop();
          bytes = await fetchAgain(url, file, shard, { ...options, signal: stopped, onSilence });
        }
        blobs.set(key, await keep(key, new Blob([bytes]), () => pieces?.drop()));
        // Only now: a tab that closes in between must not lose bytes that are verified.
        await pieces?.drop();
        loaded += shard.bytes;
      }
    } finally {
      await download.close();
    }
    await report();
  };

  const runs = splitIntoRuns(missing);
  const extras = alreadyHere ? runs.splice(0) : [];
  const work = async (): Promise<void> => {
    for (let run = runs.shift(); run !== undefined; run = runs.shift()) await fetchRun(run, options);
  };
  const first: { error?: unknown; failed: boolean } = { failed: false };
  await Promise.all(
    Array.from({ length: Math.min(parallel, runs.length) }, () =>
      work().catch((error: unknown) => {
        if (!first.failed) Object.assign(first, { error, failed: true });
        others.abort();
      }),
    ),
  );
  const leftOut = new Set<string>();
  for (const run of extras) {
    try {
      if (source.baseUrl === "") throw new EngineError("network", `${source.id} came from a file`);
      // Nobody waits long for what no answer needs.
      await fetchRun(run, { ...options, retries: 0, mostSilences: 1 });
    } catch (error) {
      signal?.throwIfAborted();
      if (!unreachable.has(errorCodeOf(error))) throw error;
      leftOut.add(run.file.path);
    }
  }
  await reporting;
  if (first.failed) throw first.error;
  // What is left out of a newer version would be missing from it: the stored one stays until the newer one is whole.
  const whole = persisted && leftOut.size === 0;
  if (whole && !(await getIfStorable(host.store, manifestKey).then((held) => sameBytes(held, manifestBlob)))) {
    await keep(manifestKey, manifestBlob);
  }
  if (whole)
    await dropOthers(host.store, source.id, [manifestKey, noteKey(source.id), ...wanted.map(({ key }) => key)]);

  const files = new Map(
    manifest.files.flatMap((file) => {
      if (leftOut.has(file.path)) return [];
      const parts = file.shards.map((shard, index) => blobs.get(shardKey(source.id, file.path, index, shard.sha256)));
      return [[file.path, new Blob(parts.filter((part) => part !== undefined))]];
    }),
  );
  return { persisted, manifest: json, files, leftOut: [...leftOut] };
}

/** Failures of a server that is not there, or does not have the file. */
const unreachable: ReadonlySet<string> = new Set(["network", "http", "integrity"]);

/** Whether everything of the package's stored manifest is stored: by key, not by hash. */
export async function isPackageStored(source: PackageSource, store: ShardStore): Promise<boolean> {
  try {
    const keys = new Set(await store.keys());
    const blob = await store.get(manifestKeyOf(source));
    if (!blob) return false;
    const parsed = parsePackageManifest(JSON.parse(await blob.text()));
    return parsed.ok && packageKeys(source.id, parsed.manifest).every(({ key }) => keys.has(key));
  } catch (error) {
    if (error instanceof SyntaxError || isStorageFailure(error)) return false;
    throw error;
  }
}

const manifestKeyOf = (source: PackageSource): string => `${packagePrefix(source.id)}${manifestName}`;

/** Forgets everything that is stored of a package. */
export async function removePackage(packageId: string, store: ShardStore): Promise<void> {
  await dropOthers(store, packageId, []);
}

/** Every shard of a package with its key, in the order of the manifest. */
export function packageKeys(packageId: string, manifest: PackageManifest): Wanted[] {
  return manifest.files.flatMap((file) =>
    file.shards.map((shard, index) => ({ file, shard, key: shardKey(packageId, file.path, index, shard.sha256) })),
  );
}

/** Neighbouring shards of one file, fetched one after the other. */
interface Run {
  readonly file: ManifestFile;
  readonly shards: Wanted[];
}

/** Longer shards, which hubs' files are, come one at a time. */
const longestForParallel = 96 * 2 ** 20;

/** Longer ones are split, so that one large file does not wait for a single connection. */
const runBytes = 512 * 2 ** 20;

function splitIntoRuns(shards: readonly Wanted[]): Run[] {
  const runs: (Run & { bytes: number })[] = [];
  for (const want of shards) {
    const last = runs.at(-1);
    if (last?.file === want.file && last.bytes < runBytes) {
      last.shards.push(want);
      last.bytes += want.shard.bytes;
    } else {
      runs.push({ file: want.file, shards: [want], bytes: want.shard.bytes });
    }
  }
  return runs;
}

/** The manifest from the server, or the stored one when the server can't be reached. */
async function readManifest(
  source: PackageSource,
  host: WeightsHost,
  options: EnsureOptions & RequestOptions,
): Promise<ReadManifest> {
  const { baseUrl } = source;
  const held = await getIfStorable(host.store, manifestKeyOf(source));
  if (baseUrl === "") {
    if (!held) throw new EngineError("bad-package", `${source.id} came from a file and is not stored any more`);
    return readManifestBlob(held, manifestName, "");
  }
  // What was fetched from a hub stays at its commit; whoever wants a newer one deletes it first.
  if (held && (await holdsHubManifest(held))) return readManifestBlob(held, manifestName, baseUrl);
  const url = new URL(manifestName, baseUrl).href;
  try {
    // Where one is here already, nobody waits for a server that says nothing.
    const asked = held ? { ...options, tries: 1 } : options;
    return await readManifestBlob(await fetchManifest(url, asked, "no-cache"), url, baseUrl);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (held) return readManifestBlob(held, url, baseUrl);
    const made = await manifestFromHub(source, host, options);
    if (made) return made;
    throw error;
  }
}

/** Undefined where the address is not one of a hub's repository. */
async function manifestFromHub(
  { id, baseUrl }: PackageSource,
  host: Pick<WeightsHost, "precision">,
  options: RequestOptions,
): Promise<ReadManifest | undefined> {
  const address = hubAddress(baseUrl);
  if (!address) return undefined;
  const plan = await planHubPackage(address, (await host.precision?.()) ?? "cpu", options);
  const { manifest, fetched } = await hubManifest(id, plan, options);
  const manifestBlob = new Blob([JSON.stringify(manifest)]);
  return { json: manifest, manifest, manifestBlob, fetched, filesUrl: hubFilesUrl(plan.address) };
}

async function holdsHubManifest(blob: Blob): Promise<boolean> {
  try {
    const parsed = parsePackageManifest(JSON.parse(await blob.text()));
    return parsed.ok && isHubManifest(parsed.manifest);
  } catch {
    return false; // Damaged: the server is asked.
  }
}

/** Stores a file that came with its manifest; where it can't be stored, it is in memory. */
async function keepFetched(
  store: ShardStore,
  { file, key }: Wanted,
  fetched: ReadonlyMap<string, Blob> | undefined,
): Promise<Blob | undefined> {
  const blob = fetched?.get(file.path);
  if (!blob) return undefined;
  try {
    await store.put(key, blob);
  } catch (error) {
    if (!isStorageFailure(error)) throw error;
  }
  return blob;
}

/**
 * Where files do not fit their manifest, a cache may have answered with an old one: the service worker keeps the one of its own
 * version. So the server's is asked for past all caches; then the stored one, which is of the files that were here last.
 */
async function otherManifest(
  source: PackageSource,
  store: ShardStore,
  options: EnsureOptions,
  used: ReadManifest,
): Promise<ReadManifest | undefined> {
  if (source.baseUrl === "") return undefined;
  const url = new URL(manifestName, source.baseUrl).href;
  const candidates = [() => fetchManifest(url, options, "reload"), () => getIfStorable(store, manifestKeyOf(source))];
  for (const candidate of candidates) {
    try {
      const blob = await candidate();
      if (blob && !(await sameBytes(used.manifestBlob, blob))) return await readManifestBlob(blob, url, source.baseUrl);
    } catch {
      options.signal?.throwIfAborted();
      // What made this try necessary is told instead.
    }
  }
  return undefined;
}

async function fetchManifest(url: string, options: RequestOptions, cache: RequestCache): Promise<Blob> {
  return new Blob([await requestBytes(url, options, cache)]);
}

/** What the server says the package holds; rejects with "network", "http" or "bad-package". */
export async function fetchPackageManifest(baseUrl: string, options: RequestOptions = {}): Promise<PackageManifest> {
  const url = new URL(manifestName, baseUrl).href;
  return (await readManifestBlob(await fetchManifest(url, options, "no-cache"), url, baseUrl)).manifest;
}

async function readManifestBlob(blob: Blob, url: string, baseUrl: string): Promise<ReadManifest> {
  let json: unknown;
  try {
    json = JSON.parse(await blob.text());
  } catch (error) {
    throw new EngineError("bad-package", `${url} is not JSON: is the model package in its place?`, { cause: error });
  }
  const parsed = parsePackageManifest(json);
  if (!parsed.ok) throw new EngineError("bad-package", `${url}: ${parsed.problem}`);
  const { manifest } = parsed;
  const address = isHubManifest(manifest) ? hubAddress(baseUrl) : undefined;
  const filesUrl =
    address && isHubManifest(manifest) ? hubFilesUrl({ ...address, revision: manifest.model.revision }) : baseUrl;
  // Only what was understood goes on: what else it holds may be nested too deep to be handed to another worker.
  return { json: manifest, manifest, manifestBlob: blob, filesUrl };
}

/** One more try, past all caches; throws "integrity" when the server really has other bytes. */
async function fetchAgain(
  url: string,
  file: ManifestFile,
  shard: Shard,
  options: DownloadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const download = createFileDownload(url, file.bytes, { ...options, fresh: true });
  const partial = emptyShard(shard.bytes);
  try {
    await download.read(shard.offset, partial);
  } finally {
    await download.close();
  }
  if ((await sha256Hex(partial.bytes)) === shard.sha256) return partial.bytes;
  throw new EngineError(
    "integrity",
    `${url}: bytes ${shard.offset} to ${shard.offset + shard.bytes} do not match the manifest`,
  );
}

/** Storage that fails is the same as nothing stored: the package is then kept in memory. */
async function getIfStorable(store: ShardStore, key: string): Promise<Blob | undefined> {
  try {
    return await store.get(key);
  } catch (error) {
    if (isStorageFailure(error)) return undefined;
    throw error;
  }
}

async function keysIfStorable(store: ShardStore): Promise<readonly string[]> {
  try {
    return await store.keys();
  } catch (error) {
    if (isStorageFailure(error)) return [];
    throw error;
  }
}

/** False when the missing shards can't fit, also after shards of an older version of the package have gone. */
async function hasRoom(
  host: WeightsHost,
  packageId: string,
  wanted: readonly Wanted[],
  missing: readonly Wanted[],
): Promise<boolean> {
  const missingKeys = new Set(missing.map(({ key }) => key));
  const needed = missing.reduce((sum, { shard }) => sum + shard.bytes, 0);
  const fits = async (): Promise<boolean> => needed <= ((await host.room()) ?? Infinity);
  if (await fits()) return true;
  await dropOthers(
    host.store,
    packageId,
    wanted.map(({ key }) => key),
    missingKeys,
  );
  return fits();
}

/** Pieces stay of the shards in `unfinished` only. */
async function dropOthers(
  store: ShardStore,
  packageId: string,
  keep: readonly string[],
  unfinished: ReadonlySet<string> = new Set(),
): Promise<void> {
  const kept = new Set(keep);
  try {
    const keys = await store.keys();
    const others = keys.filter(
      (key) => key.startsWith(packagePrefix(packageId)) && !kept.has(key) && !isPieceOf(key, unfinished),
    );
    if (others.length > 0) await store.delete(others);
  } catch (error) {
    // What can't be deleted only takes room.
    if (!isStorageFailure(error)) throw error;
  }
}

async function sameBytes(held: Blob | undefined, blob: Blob): Promise<boolean> {
  return held?.size === blob.size && (await held.text()) === (await blob.text());
}

function isStorageFailure(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === "storage" || code === "quota";
}
