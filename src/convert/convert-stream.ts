// Checkpoint that arrives by ranges → model package, made in units that outlive the maker: the table of contents of converting while
// downloading. Everything but the order in which weights are made is as in convert.ts, and so are the bytes of the package.
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import type { FileHash } from "#convert/streaming/file-hash.ts";
import type { Journal, JournalShard } from "#convert/streaming/journal.ts";
import type { Making } from "#convert/streaming/making.ts";
import { runUnits, type RunProgress } from "#convert/streaming/run-units.ts";
import { streamedFolder } from "#convert/streaming/streamed-folder.ts";
import { planUnits, type StreamPlan } from "#convert/streaming/units.ts";
import type { WholeFileWriter } from "#convert/package/shard.ts";
import { errorCodeOf } from "#engine/errors.ts";
import type { Manifest, ManifestFile } from "#weights/manifest.ts";
import { sha256Hex } from "#weights/store/sha256.ts";
import { finishPackage, prepareModel, type ConvertOptions, type PreparedModel } from "./convert.ts";
import { dataFilesOf } from "./package-graphs.ts";

export interface StreamOptions extends Omit<ConvertOptions, "onProgress"> {
  /** Bytes of the package that a unit makes at least: more are made again at most after a kill; default 32 MiB. */
  readonly unitBytes?: number | undefined;
  /** Bytes of one read; default 8 MiB. */
  readonly blockBytes?: number | undefined;
  /** Reads under way at a time; default 4. */
  readonly parallel?: number | undefined;
  /** Default: one in this thread. */
  readonly hash?: FileHash | undefined;
  /** Where the checkpoint lies, as JSON, for those who find it half-made. */
  readonly place?: unknown;
  readonly onProgress?: ((progress: StreamProgress) => void) | undefined;
}

interface StreamProgress extends RunProgress {
  readonly stage: "converting" | "finishing";
  /** Bytes of the stream, and of the package's weights, in all. */
  readonly toFetch: number;
  readonly toKeep: number;
}

/** A checkpoint that can be converted, and how. */
export interface PlannedStream {
  readonly model: PreparedModel;
  readonly plan: StreamPlan;
  /** What a half-made package must have been made from, to go on with it. */
  readonly fingerprint: string;
}

/** Names the rules by which units are cut: a change of them must not go on with what others made. */
const rules = "units-1";
/** Reserved for config files, graphs and the manifest. */
const smallFilesBytes = 16 * 2 ** 20;

/** Reads the small files and the headers, and makes every check that needs no weights. */
export async function planStream(given: CheckpointFolder, options: StreamOptions): Promise<PlannedStream> {
  const { unitBytes = 32 * 2 ** 20, blockBytes = 8 * 2 ** 20, more } = options;
  const streamed = streamedFolder(given, blockBytes);
  const vision = more?.vision && streamedFolder(more.vision, blockBytes);
  const model = await prepareModel(streamed.folder, {
    ...options,
    onProgress: undefined,
    more: more && { ...more, vision: vision?.folder },
  });
  const opened = [...streamed.opened(), ...(vision?.opened() ?? [])];
  const plan = planUnits(opened, dataFilesOf(model.graphs), unitBytes);
  const about = {
    rules,
    files: plan.files.map(({ name, source: { bytes, sha256, version } }) => [name, bytes, sha256, version]),
    units: plan.units.map(({ end, shards }) => [end, shards.map(({ path, offset, bytes }) => [path, offset, bytes])]),
    bits: options.bits,
    scheme: options.scheme,
  };
  return { model, plan, fingerprint: await sha256Hex(new TextEncoder().encode(JSON.stringify(about))) };
}

/** What an earlier visit left of this; undefined where it begins anew. */
export async function journalOf({ plan, fingerprint }: PlannedStream, making: Making): Promise<Journal | undefined> {
  const journal = await making.journal();
  return journal?.fingerprint === fingerprint && journal.units <= plan.units.length ? journal : undefined;
}

/**
 * Makes the package, from where an earlier call ended, and commits it. After "integrity" nothing of it is kept; after anything else,
 * also an abort, the units that are finished are.
 */
export async function convertStream(planned: PlannedStream, making: Making, options: StreamOptions): Promise<Manifest> {
  const { model, plan, fingerprint } = planned;
  let journal = await journalOf(planned, making);
  if (!journal) {
    await making.discard();
    journal = {
      version: 1,
      fingerprint,
      units: 0,
      carried: [],
      shards: [],
      about: {
        place: options.place,
        name: options.name ?? model.from.name,
        license: options.license ?? "unknown",
        fetchedBytes: 0,
        fetchBytes: plan.streamBytes,
        keepBytes: plan.packageBytes,
      },
    };
  }
  const kept = journal.shards.reduce((sum, { bytes }) => sum + bytes, 0);
  await making.reserve(plan.packageBytes - kept + smallFilesBytes);
  await making.note(journal);
  const whole = { toFetch: plan.streamBytes, toKeep: plan.packageBytes };
  try {
    const shards = await runUnits(plan, journal, making, {
      width: (options.quantizer?.width ?? 1) + 1,
      parallel: options.parallel,
      hash: options.hash,
      signal: options.signal,
      onProgress: (progress) => options.onProgress?.({ stage: "converting", ...progress, ...whole }),
    });
    const done = { fetched: plan.streamBytes, converted: plan.packageBytes, kept: plan.packageBytes };
    options.onProgress?.({ stage: "finishing", ...done, ...whole });
    const writer = fileWriter(making, dataFiles(plan, shards));
    const manifest = await finishPackage(model, writer, making.files, { ...options, onProgress: undefined });
    options.signal?.throwIfAborted();
    await making.commit(manifest);
    return manifest;
  } catch (error) {
    // Bytes that are not those that were published must not end in a package, now or later.
    if (errorCodeOf(error) === "integrity" || errorCodeOf(error) === "bad-checkpoint") await making.discard();
    throw error;
  }
}

/** The manifest's record of the files of weights. */
function dataFiles(plan: StreamPlan, shards: readonly JournalShard[]): ManifestFile[] {
  return plan.made.map(({ path, bytes }) => ({
    path,
    bytes,
    shards: shards
      .filter((shard) => shard.path === path)
      .toSorted((a, b) => a.index - b.index)
      .map(({ offset, bytes: length, sha256 }) => ({ offset, bytes: length, sha256 })),
  }));
}

/** Writes the small files, each as one shard. */
function fileWriter(making: Making, files: ManifestFile[]): WholeFileWriter {
  return {
    files,
    async writeWhole(path, content) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content);
      const shard = { offset: 0, bytes: bytes.length, sha256: await sha256Hex(bytes) };
      await making.put({ path, index: 0, ...shard }, bytes);
      files.push({ path, bytes: bytes.length, shards: [shard] });
    },
  };
}
