// Fetches missing shards: several files at a time, resumed where an earlier try ended, verified, and handed to a writer.
// Knows no manifest and no rules about what to do when a package cannot be fetched.
import { EngineError } from "#engine/errors.ts";
import type { ManifestFile, Shard } from "#weights/manifest.ts";
import type { KeyedShard } from "#weights/store/keys.ts";
import { sha256Hex } from "#weights/store/sha256.ts";
import { unlessStoreFails, type ShardStore } from "#weights/store/store.ts";
import type { BlobWriter } from "./blob-writer.ts";
import {
  createFileDownload,
  emptyShard,
  type DownloadOptions,
  type FileDownload,
  type PartialShard,
} from "./download.ts";
import { createPieceWriter, readPieces, type PieceWriter } from "./pieces.ts";
import type { ProgressReporter } from "./progress.ts";

export interface FetchOptions extends Omit<DownloadOptions, "onBytes" | "fresh" | "onSilence"> {
  /** Shards that an earlier call left unfinished, by key; updated for the next call. */
  readonly partials?: Map<string, PartialShard>;
  /** Size of the pieces in which a shard is stored while it arrives: what a closed tab loses at most; default 4 MiB. */
  readonly pieceBytes?: number;
  /** Requests at a time; default 3. */
  readonly parallel?: number;
}

export interface FetchTarget {
  /** The URL that file paths are relative to. */
  readonly filesUrl: string;
  readonly store: ShardStore;
  readonly writer: BlobWriter;
  readonly progress: ProgressReporter;
  /** The Blob of each verified shard is added under its key. */
  readonly blobs: Map<string, Blob>;
}

/** Neighboring shards of one file, fetched one after the other over one connection where the server allows it. */
interface Run {
  readonly file: ManifestFile;
  readonly shards: KeyedShard[];
}

/** Shards above this size, which files of hubs are, are fetched one at a time: a shard is in memory until it is verified. */
const maxParallelShardBytes = 96 * 2 ** 20;

/** Longer runs are split, so that one large file is fetched over several connections. */
const maxRunBytes = 512 * 2 ** 20;

/** Fetches all shards. The first failure aborts the other requests and is thrown. */
export async function fetchShards(
  shards: readonly KeyedShard[],
  target: FetchTarget,
  options: FetchOptions,
): Promise<void> {
  const { signal, parallel = 3 } = options;
  const others = new AbortController();
  const fetchRun = await createRunFetcher(target, {
    ...options,
    signal: signal ? AbortSignal.any([signal, others.signal]) : others.signal,
  });
  const largest = shards.reduce((most, { shard }) => Math.max(most, shard.bytes), 0);
  const runs = splitIntoRuns(shards);
  const workers = Math.min(largest > maxParallelShardBytes ? 1 : parallel, runs.length);
  const work = async (): Promise<void> => {
    for (let run = runs.shift(); run !== undefined; run = runs.shift()) await fetchRun(run);
  };
  const first: { error?: unknown; failed: boolean } = { failed: false };
  await Promise.all(
    Array.from({ length: workers }, () =>
      work().catch((error: unknown) => {
        if (!first.failed) Object.assign(first, { error, failed: true });
        others.abort();
      }),
    ),
  );
  if (first.failed) throw first.error;
}

/** Fetches shards one run after the other, one try each. Resolves with the paths whose run failed, where `mayFail` accepts the error. */
export async function tryToFetchShards(
  shards: readonly KeyedShard[],
  target: FetchTarget,
  options: FetchOptions,
  mayFail: (error: unknown) => boolean,
): Promise<ReadonlySet<string>> {
  const failed = new Set<string>();
  const fetchRun = await createRunFetcher(target, { ...options, retries: 0, mostSilences: 1 });
  for (const run of splitIntoRuns(shards)) {
    try {
      await fetchRun(run);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!mayFail(error)) throw error;
      failed.add(run.file.path);
    }
  }
  return failed;
}

function splitIntoRuns(shards: readonly KeyedShard[]): Run[] {
  const runs: (Run & { bytes: number })[] = [];
  for (const keyed of shards) {
    const last = runs.at(-1);
    if (last?.file === keyed.file && last.bytes < maxRunBytes) {
      last.shards.push(keyed);
      last.bytes += keyed.shard.bytes;
    } else {
      runs.push({ file: keyed.file, shards: [keyed], bytes: keyed.shard.bytes });
    }
  }
  return runs;
}

async function createRunFetcher(target: FetchTarget, options: FetchOptions): Promise<(run: Run) => Promise<void>> {
  const { progress, store, writer, blobs } = target;
  const { partials = new Map<string, PartialShard>(), pieceBytes = 4 * 2 ** 20 } = options;
  const storedKeys = await unlessStoreFails<readonly string[]>(store.keys(), []);
  const onSilence = (times: number): void => progress.addSilence(times);

  const fetchShard = async ({ file, shard, key }: KeyedShard, url: string, download: ResumableDownload) => {
    const resumed = partials.get(key) ?? (await readPieces(store, storedKeys, key, shard.bytes));
    const partial = resumed ?? emptyShard(shard.bytes);
    partials.set(key, partial);
    progress.addResumed(partial.received);
    const pieces = writer.persisted ? createPieceWriter(store, key, resumed) : undefined;
    await readInPieces(download, shard, partial, pieces, pieceBytes);
    partials.delete(key);
    let { bytes } = partial;
    if ((await sha256Hex(bytes)) !== shard.sha256) {
      await pieces?.drop();
      bytes = await fetchAgain(url, file, shard, { ...options, onSilence });
    }
    blobs.set(key, await writer.write(key, new Blob([bytes]), () => pieces?.drop()));
    // After the write: a tab that closes in between must not lose verified bytes.
    await pieces?.drop();
    progress.addVerified(shard.bytes);
  };

  return async ({ file, shards }) => {
    const url = new URL(file.path, target.filesUrl).href;
    const download: ResumableDownload = createFileDownload(url, file.bytes, {
      ...options,
      onSilence,
      onBytes(bytes) {
        progress.addArrived(bytes);
        download.onArrival?.();
      },
    });
    try {
      for (const keyed of shards) await fetchShard(keyed, url, download);
    } finally {
      await download.close();
    }
    await progress.report();
  };
}

/** A download that tells the shard under way when bytes have arrived. */
interface ResumableDownload extends FileDownload {
  onArrival?: (() => void) | undefined;
}

/** Fills the shard, and stores what arrives in pieces: also what a failure or an abort leaves. */
async function readInPieces(
  download: ResumableDownload,
  shard: Shard,
  partial: PartialShard,
  pieces: PieceWriter | undefined,
  pieceBytes: number,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  download.onArrival = () => {
    // A whole shard is verified and stored as one.
    if (partial.received === shard.bytes) return;
    pieces?.store(partial, pieceBytes).catch((error: unknown) => (failure = { error }));
  };
  try {
    await download.read(shard.offset, partial);
  } finally {
    download.onArrival = undefined;
    if (partial.received < shard.bytes) await pieces?.store(partial, 1);
  }
  if (failure) throw failure.error;
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
