// Models that are downloaded into this browser's storage, or converted into it, while the chat goes on with another one: started, paused,
// cancelled, and resumed after the page was closed. Knows no page, and not how anything is fetched, converted or stored.
import { errorCodeOf } from "#engine/errors.ts";
import type { LoadEvent, PackageSource } from "#worker/api.ts";
import type { ConversionEvent, ConversionRequest, ConversionMade, GatedPlace } from "#worker/convert/convert-api.ts";
import type { GetStorage } from "#chat/local-storage.ts";
import { createCell, type Cell, type Observable } from "#chat/observable.ts";
import { createTransferRate } from "./transfer-rate.ts";
import { readDownloads, storeDownload, storePaused, toStored } from "./stored-downloads.ts";
import type { Download, WantedModel } from "./wanted.ts";

export interface Downloads extends Observable<readonly Download[]> {
  /** `use`: the chat goes on with it when it is here. Without, it is a repair: cancelling leaves what is here. */
  start(model: WantedModel, purpose: "use" | "repair"): void;
  pause(id: string): void;
  /** Goes on, or tries again. */
  resume(id: string): void;
  /** Ends it, and deletes what has come of a new model. */
  cancel(id: string): Promise<void>;
  /** Takes a finished one off the list; what is here stays. */
  dismiss(id: string): void;
  /** Lists what was under way when the page was closed and goes on with it, except for paused ones; `held` pauses them all. */
  restore(held: boolean): void;
  /** Follows what another tab has paused, resumed, cancelled or finished. */
  followOtherTabs(): void;
}

export interface DownloadsOptions {
  readonly storage: GetStorage;
  readonly fetchAhead: (
    model: PackageSource,
    onEvent: (event: LoadEvent) => void,
    signal: AbortSignal,
  ) => Promise<void>;
  /** Resolves with "gated" where the hub gives the checkpoint to some readers only. */
  readonly convert: (
    request: ConversionRequest,
    onEvent: (event: ConversionEvent) => void,
    pause: AbortSignal,
  ) => Promise<ConversionMade | GatedPlace>;
  readonly forget: (id: string) => Promise<"done" | "in-use">;
  /** What is stored has changed. */
  readonly changed: () => Promise<void>;
  /** Makes it the chat's model; false when it did not. */
  readonly use: (id: string) => Promise<boolean>;
  readonly now?: () => number;
}

/** What the functions below work on. */
interface Context extends DownloadsOptions {
  readonly now: () => number;
  readonly cell: Cell<readonly Download[]>;
  readonly running: Map<string, { readonly abort: AbortController; readonly ended: Promise<void> }>;
  /** Ids of the models that the chat switches to when they are there: downloads of this visit, not those found on the device. */
  readonly wantedByChat: Set<string>;
  /** Ids of the models that were stored before, of which a cancel keeps what was there. */
  readonly repairs: Set<string>;
}

/** Nothing is under way yet. */
export function createDownloads(options: DownloadsOptions): Downloads {
  const { storage, now = () => Date.now() } = options;
  const cell = createCell<readonly Download[]>([]);
  const context: Context = {
    ...options,
    now,
    cell,
    running: new Map(),
    wantedByChat: new Set(),
    repairs: new Set(),
  };
  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    start: (model, purpose) => start(context, model, purpose),
    pause(id) {
      if (find(context, id)?.phase !== "running") return;
      storePaused(storage, id, true);
      pauseHere(context, id);
    },
    resume(id) {
      const download = find(context, id);
      if (download === undefined || !["paused", "failed", "no-room", "gated"].includes(download.phase)) return;
      storePaused(storage, id, false);
      change(context, id, { phase: "running" });
      runAfterTheLastEnds(context, id);
    },
    cancel: (id) => cancel(context, id),
    dismiss(id) {
      if (find(context, id)?.phase === "done") drop(context, id);
    },
    restore(held) {
      for (const { paused, repair, ...model } of readDownloads(storage)) {
        if (find(context, model.id) !== undefined) continue;
        if (repair) context.repairs.add(model.id);
        add(context, { ...model, ...(repair && { repair }), phase: "paused", loaded: 0, total: 0 });
        if (!paused && !held) run(context, model);
      }
    },
    followOtherTabs: () => followOtherTabs(context),
  };
}

function start(context: Context, model: WantedModel, purpose: "use" | "repair"): void {
  const { id, name, baseUrl, architecture, bytes, checkpoint } = model;
  if (context.running.has(id)) return;
  const wanted: WantedModel = { id, name, baseUrl, architecture, bytes, ...(checkpoint && { checkpoint }) };
  storeDownload(context.storage, id, toStored(wanted, purpose === "repair"));
  if (purpose === "use") context.wantedByChat.add(id);
  else context.repairs.add(id);
  add(context, { ...wanted, ...(purpose === "repair" && { repair: true }), phase: "running", loaded: 0, total: 0 });
  run(context, wanted);
}

/** Brings the model, unless that is under way. */
function run(context: Context, model: WantedModel): void {
  const { running, storage } = context;
  const { id } = model;
  if (running.has(id)) return;
  const abort = new AbortController();
  change(context, id, { phase: "running", bytesPerSecond: undefined, silences: undefined, message: undefined });
  const work = async (): Promise<void> => {
    try {
      const gated = await bring(context, model, abort.signal);
      if (gated) return change(context, id, { phase: "gated", gated, bytesPerSecond: undefined });
    } catch (error) {
      if (abort.signal.aborted) return;
      const code = errorCodeOf(error);
      if (code === "internal") console.warn("A download failed:", error);
      const message = code === "bad-checkpoint" && error instanceof Error ? error.message : undefined;
      change(context, id, { phase: code === "quota" ? "no-room" : "failed", code, message, bytesPerSecond: undefined });
      return;
    } finally {
      running.delete(id);
    }
    storeDownload(storage, id, undefined);
    context.repairs.delete(id);
    await arrive(context, id);
  };
  running.set(id, { abort, ended: work() });
}

/** Downloads a package, or converts a checkpoint while it is downloaded. Resolves with what the hub wants first, if anything. */
async function bring(context: Context, model: WantedModel, signal: AbortSignal): Promise<GatedPlace | undefined> {
  const { id, baseUrl, name, checkpoint } = model;
  if (checkpoint === undefined) {
    await context.fetchAhead({ id, baseUrl }, createListener(context, id, signal), signal);
    return undefined;
  }
  const onEvent = (event: ConversionEvent): void => {
    if (signal.aborted) return;
    const { stage, fetched, toFetch, converted, kept, toKeep, secondsLeft, bytesPerSecond, silences } = event;
    const conversion = { stage, fetched, toFetch, converted, kept, toKeep, secondsLeft };
    change(context, id, { loaded: fetched, total: toFetch, conversion, bytesPerSecond, silences });
  };
  const outcome = await context.convert({ ...checkpoint, id, name }, onEvent, signal);
  return outcome.kind === "gated" ? outcome : undefined;
}

/** What the download's events change. */
function createListener(context: Context, id: string, signal: AbortSignal): (event: LoadEvent) => void {
  const rate = createTransferRate();
  return (event) => {
    if (event.type !== "download" || signal.aborted) return;
    const { loaded, total, stored, silences } = event;
    if (silences !== undefined) {
      // The event may not know the total, so that what is known of it stays.
      change(context, id, { silences, bytesPerSecond: undefined });
      return;
    }
    // Bytes that were stored before have not been transferred.
    const bytesPerSecond = loaded > stored ? rate.add(context.now(), loaded) : undefined;
    change(context, id, { loaded, total, bytesPerSecond, silences: undefined });
  };
}

/** The download is complete. */
async function arrive(context: Context, id: string): Promise<void> {
  const isForChat = context.wantedByChat.delete(id);
  if (isForChat) change(context, id, { phase: "starting" });
  // Before it is listed it can't be chosen.
  await context.changed().catch((error: unknown) => console.warn("What is stored could not be listed:", error));
  if (isForChat && (await context.use(id).catch(() => false))) drop(context, id);
  else change(context, id, { phase: "done" });
}

async function cancel(context: Context, id: string): Promise<void> {
  const isNew = !context.repairs.has(id);
  // Before it stops here, or a tab that waits for its turn would go on with it.
  storeDownload(context.storage, id, undefined);
  context.wantedByChat.delete(id);
  drop(context, id);
  await stop(context, id);
  // A tab that waited may hold it for a moment, until it has heard.
  for (let attempt = 0; isNew && attempt < 20 && (await context.forget(id)) === "in-use"; attempt++)
    await new Promise((resolve) => setTimeout(resolve, 200));
  await context.changed();
}

function followOtherTabs(context: Context): void {
  const { cell, running, storage, changed } = context;
  const stored = new Map(readDownloads(storage).map((download) => [download.id, download]));
  for (const { id, phase, checkpoint } of cell.get()) {
    // No other tab has files that were dropped here.
    if (phase === "done" || phase === "starting" || checkpoint?.place.kind === "files") continue;
    const there = stored.get(id);
    if (there === undefined) {
      drop(context, id);
      void stop(context, id).then(changed);
    } else if (there.paused && phase === "running") {
      pauseHere(context, id);
    } else if (!there.paused && phase === "paused") {
      change(context, id, { phase: "running" });
      const { abort } = running.get(id) ?? {};
      if (abort === undefined || abort.signal.aborted) runAfterTheLastEnds(context, id);
    }
  }
}

function pauseHere(context: Context, id: string): void {
  change(context, id, { phase: "paused", bytesPerSecond: undefined });
  void stop(context, id);
}

/** A fetch that is still ending must not be taken for the one that goes on. */
function runAfterTheLastEnds(context: Context, id: string): void {
  void (context.running.get(id)?.ended ?? Promise.resolve()).then(() => {
    const download = find(context, id);
    if (download?.phase === "running") run(context, download);
  });
}

async function stop({ running }: Context, id: string): Promise<void> {
  const job = running.get(id);
  job?.abort.abort();
  await job?.ended;
}

function find({ cell }: Context, id: string): Download | undefined {
  return cell.get().find((download) => download.id === id);
}

function change({ cell }: Context, id: string, changes: Partial<Download>): void {
  cell.update((list) => list.map((download) => (download.id === id ? { ...download, ...changes } : download)));
}

function drop({ cell }: Context, id: string): void {
  cell.update((list) => list.filter((download) => download.id !== id));
}

function add({ cell }: Context, download: Download): void {
  cell.update((list) => [...list.filter(({ id }) => id !== download.id), download]);
}
