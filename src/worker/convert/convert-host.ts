// The converting worker's side of the wire: plans and conversions, one at a time, into the weights store. Knows no Comlink and no page.
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import {
  convertStream,
  journalOf,
  planStream,
  type PlannedStream,
  type StreamOptions,
} from "#convert/convert-stream.ts";
import type { ConvertOptions } from "#convert/convert.ts";
import { ggufModels, onlyGguf } from "#convert/gguf/which-files.ts";
import { rangesWhenAsked, type RangeReader } from "#convert/places/range-reader.ts";
import type { PlaceOptions } from "#convert/places/remote-file.ts";
import type { Quantizer } from "#convert/quantize/quantize.ts";
import type { FileHash } from "#convert/streaming/file-hash.ts";
import { storeMaking } from "#convert/streaming/store-making.ts";
import type { PackageInfo, SelfTest } from "#engine/package.ts";
import type { PackageFiles } from "#engine/types.ts";
import { estimateTokensPerSecond, type Bandwidth } from "#weights/decode-speed.ts";
import { judgeFit, withSpeed, type DeviceFacts } from "#weights/fit.ts";
import { removePackage } from "#weights/store/stored-package.ts";
import { journalKey } from "#weights/store/keys.ts";
import type { ShardStore } from "#weights/store/store.ts";
import type { ConversionApi, ConversionEvent, ConversionPlan, ConversionRequest, GgufChoice } from "./convert-api.ts";
import { openPlace, orGated, placeToKeep, type Found } from "./convert-place.ts";
import { createTeller } from "./convert-teller.ts";
import { ggufChoices } from "./gguf-choice.ts";
import { alone, unlessInUse } from "#worker/package-lock.ts";

export interface ConvertHost {
  readonly store: ShardStore;
  readonly facts: () => Promise<DeviceFacts>;
  readonly room: () => Promise<number | undefined>;
  readonly bandwidth?: (() => Promise<Bandwidth>) | undefined;
  /** Starts the threads that quantize; ended after each conversion. */
  readonly startQuantizer: () => Promise<Quantizer & { readonly end: () => Promise<void> | void }>;
  /** Starts the thread that hashes, likewise; default: the hash runs in this one. */
  readonly startHash?: (() => Promise<FileHash & { readonly end: () => Promise<void> | void }>) | undefined;
  /** Starts the thread that fetches, likewise; default: this one does. */
  readonly startRanges?: (() => Promise<RangeReader & { readonly end: () => Promise<void> | void }>) | undefined;
  readonly renderChat?: ConvertOptions["renderChat"];
  readonly tryTokenizer?: ConvertOptions["tryTokenizer"];
  /** Runs a finished package here for its golden numbers; absent where that can't be. */
  readonly selfTest?: ((info: PackageInfo, files: PackageFiles, runtimeUrl: string) => Promise<SelfTest>) | undefined;
  /** Sizes for tests; see StreamOptions. */
  readonly sizes?: Pick<StreamOptions, "unitBytes" | "blockBytes"> | undefined;
}

const defaultBits = { vision: 8, embed: 4, decoder: 4 } as const;
/** What a conversion holds at most: blocks on their way, three units, and the memory of the threads. */
const memoryBytes = 600e6;
/** Packages up to this size are run once they are finished: larger ones would take more than a gigabyte. */
const mostRunBytes = 500e6;

/** Serves the worker's calls. Longer than most functions: a closure over the one conversion at a time, which they start, watch and stop. */
export function createConvertHost(host: ConvertHost): ConversionApi {
  const running = new Map<string, AbortController>();

  const optionsFor = (request: ConversionRequest, found: Found, more: Partial<StreamOptions>): StreamOptions => ({
    ...host.sizes,
    bits: request.bits ?? defaultBits,
    id: found.id,
    name: request.name ?? found.folder.name,
    license: found.license,
    more: { gguf: request.weights, vision: found.tower },
    renderChat: host.renderChat,
    tryTokenizer: host.tryTokenizer,
    place: placeToKeep(request, found.commit),
    ...more,
  });

  /** A package without golden numbers is better than none: what goes wrong here is met again, and told, when the model is loaded. */
  const selfTestFor = ({ runtimeUrl }: ConversionRequest): StreamOptions["selfTest"] => {
    const { selfTest } = host;
    if (runtimeUrl === undefined || !selfTest) return undefined;
    return (info, files) =>
      selfTest(info, files, runtimeUrl).catch((error: unknown) => {
        console.warn("The finished package could not be run for its golden numbers:", error);
        return undefined;
      });
  };

  const making = (id: string) => storeMaking(host.store, id, host.room);

  const run = async (
    request: ConversionRequest,
    onEvent: (event: ConversionEvent) => Promise<void> | void,
    signal: AbortSignal,
  ): Promise<string> => {
    const teller = createTeller(onEvent);
    const ranges = host.startRanges && rangesWhenAsked(host.startRanges);
    const place: PlaceOptions = {
      signal,
      ranges,
      onSilence: (times) => teller.silent(times),
    };
    const found = await openPlace(request, place);
    return alone(found.id, signal, async () => {
      const [quantizer, hash] = await Promise.all([host.startQuantizer(), host.startHash?.()]);
      try {
        teller.update({}, true);
        const options = optionsFor(request, found, { quantizer, hash, signal });
        const planned = await planStream(found.folder, options);
        await convertStream(planned, making(found.id), {
          ...options,
          selfTest: planned.plan.packageBytes > mostRunBytes ? undefined : selfTestFor(request),
          onProgress: (progress) => teller.update(progress, progress.stage === "finishing"),
        });
      } finally {
        await Promise.all([quantizer.end(), hash?.end(), ranges?.end()]);
        await teller.end();
      }
      return found.id;
    });
  };

  let turn: Promise<unknown> = Promise.resolve();
  return {
    async plan(request) {
      const notes: string[] = [];
      return orGated(async () => {
        const found = await openPlace(request, {});
        const models = await choicesIn(request, found.folder, host.facts);
        if (models.length > 0) return { kind: "choice", models };
        const onNote = (note: string): void => void notes.push(note);
        const planned = await planStream(found.folder, optionsFor(request, found, { onNote }));
        return describe(host, request, found, planned, notes);
      });
    },
    async convert(request, onEvent, job) {
      const abort = new AbortController();
      running.get(job)?.abort();
      running.set(job, abort);
      const before = turn;
      const work = (async () => {
        await before;
        abort.signal.throwIfAborted();
        return orGated(async () => ({ kind: "made" as const, id: await run(request, onEvent, abort.signal) }));
      })();
      turn = work.catch(() => undefined);
      try {
        return await work;
      } finally {
        if (running.get(job) === abort) running.delete(job);
      }
    },
    pause(job) {
      running.get(job)?.abort();
      return Promise.resolve();
    },
    discard: (id) =>
      unlessInUse(id, async () => {
        const isUnfinished = (await host.store.keys()).includes(journalKey(id));
        if (isUnfinished) await making(id).discard();
        else if (!(await hasManifest(host.store, id))) await removePackage(id, host.store);
        return "done" as const;
      }),
  };
}

/** What a conversion takes and whether this device can run its package, before the first byte. */
async function describe(
  host: ConvertHost,
  request: ConversionRequest,
  found: Found,
  planned: PlannedStream,
  notes: readonly string[],
): Promise<ConversionPlan> {
  const { plan, model } = planned;
  const journal = await journalOf(planned, storeMaking(host.store, found.id, host.room));
  const keptBytes = (journal?.shards ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
  const bytesOf = (part: string): number =>
    plan.made.reduce((sum, file) => (file.path.startsWith(`onnx/${part}`) ? sum + file.bytes : sum), 0);
  const facts = await host.facts();
  const measured = await host.bandwidth?.();
  const decoder = { bytes: bytesOf("decoder"), fourBit: (request.bits ?? defaultBits).decoder === 4 };
  const tokensPerSecond = measured && estimateTokensPerSecond(decoder, measured);
  const about = { bytes: plan.packageBytes, largestBytes: bytesOf("embed_tokens"), needsF16: false };
  return {
    kind: "plan",
    id: found.id,
    name: request.name ?? found.folder.name,
    license: found.license,
    commit: found.commit,
    fetchBytes: plan.streamBytes,
    fetchedBytes: journal?.about.fetchedBytes ?? 0,
    keepBytes: plan.packageBytes,
    keptBytes,
    roomBytes: facts.roomBytes,
    memoryBytes,
    contextLength: model.config.text.context,
    fit: withSpeed(judgeFit(about, facts, plan.packageBytes - keptBytes), tokensPerSecond),
    tokensPerSecond,
    verified: plan.files.every(({ source }) => source.sha256 !== undefined),
    notes,
  };
}

const hasManifest = async (store: ShardStore, id: string): Promise<boolean> =>
  (await store.keys()).includes(journalKey(id).replace(/\.making$/, "manifest.json"));

/** The models of a place with several in GGUF, of which the request names none. */
async function choicesIn(
  { weights }: ConversionRequest,
  folder: CheckpointFolder,
  facts: ConvertHost["facts"],
): Promise<readonly GgufChoice[]> {
  const names = weights === undefined ? ((await folder.names?.()) ?? []) : [];
  const isOne = ggufModels(names.map((path) => ({ path, bytes: 0 }))).length < 2;
  return isOne || !onlyGguf(names) ? [] : ggufChoices(folder, await facts());
}
