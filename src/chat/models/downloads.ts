// Models on their way into this browser's storage while the chat goes on with another one: started, paused, cancelled, and gone on
// with after the page was closed. Knows no page and not how anything is fetched or stored.
import * as v from "valibot";
import { errorCodeOf, type ErrorCode } from "#engine/errors.ts";
import type { LoadEvent, ModelRef, PackageArchitecture } from "#worker/api.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import { createTransferRate } from "./transfer-rate.ts";
import type { PreferenceStorage } from "#chat/preferences.ts";

/** What is to be fetched; `bytes` is its whole size, 0 where nobody knows yet. */
export interface WantedModel {
  readonly id: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly architecture: PackageArchitecture;
  readonly bytes: number;
}

/** "no-room": the browser stores no more. "starting": it is here and becomes the chat's model. "done": it is here and can be chosen. */
export type DownloadPhase = "running" | "paused" | "failed" | "no-room" | "starting" | "done";

export interface Download extends WantedModel {
  readonly phase: DownloadPhase;
  /** Verified bytes and bytes on their way, of `total`, which is 0 until it is known. */
  readonly loaded: number;
  readonly total: number;
  readonly bytesPerSecond?: number | undefined;
  /** How often in a row the server sent nothing for a while; undefined while bytes come. */
  readonly silences?: number | undefined;
  /** Why it failed. */
  readonly code?: ErrorCode;
}

export interface Downloads extends Observable<readonly Download[]> {
  /** `use`: the chat goes on with it when it is here. Without, it is a repair: cancelling leaves what is here. */
  start(model: WantedModel, purpose: "use" | "repair"): void;
  pause(id: string): void;
  /** Goes on, or tries again. */
  resume(id: string): void;
  /** Ends it, and deletes what came of a new model. */
  cancel(id: string): Promise<void>;
  /** Takes the note away; what is here stays. */
  dismiss(id: string): void;
  /** Goes on with what was under way when the page was closed; paused ones stay so, `held` ones become so. */
  restore(held: boolean): void;
  /** Another tab may have paused, cancelled or finished something. */
  followOtherTabs(): void;
}

export interface DownloadsOptions {
  readonly storage: () => PreferenceStorage;
  readonly fetchAhead: (model: ModelRef, onEvent: (event: LoadEvent) => void, signal: AbortSignal) => Promise<void>;
  readonly forget: (id: string) => Promise<"done" | "in-use">;
  /** What is stored has changed. */
  readonly changed: () => Promise<void>;
  /** Makes it the chat's model; false when it did not. */
  readonly use: (id: string) => Promise<boolean>;
  readonly now?: () => number;
}

const Kept = v.object({
  version: v.literal(1),
  downloads: v.array(
    v.object({
      id: v.string(),
      name: v.string(),
      baseUrl: v.string(),
      architecture: v.optional(v.picklist(["llava", "llava-adapter", "transformers.js"]), "llava"),
      bytes: v.number(),
      paused: v.boolean(),
      repair: v.boolean(),
    }),
  ),
});
type KeptDownload = v.InferOutput<typeof Kept>["downloads"][number];

/** Where the browser keeps what is under way. */
export const downloadsKey = "llava-web-downloads";

/** Nothing is under way yet. */
export function createDownloads(options: DownloadsOptions): Downloads {
  const { storage, fetchAhead, forget, changed, use, now = () => Date.now() } = options;
  const cell = createCell<readonly Download[]>([]);
  const running = new Map<string, { readonly abort: AbortController; readonly ended: Promise<void> }>();
  /** Those that the chat shall go on with: only where they were started, not where they were found again. */
  const wantedByChat = new Set<string>();
  /** Of these something was here before, which a cancel leaves. */
  const repairs = new Set<string>();

  const read = (): readonly KeptDownload[] => {
    try {
      const parsed = v.safeParse(Kept, JSON.parse(storage().getItem(downloadsKey) ?? "null"));
      return parsed.success ? parsed.output.downloads : [];
    } catch {
      return []; // A browser that keeps nothing: a download lasts as long as its page.
    }
  };
  const keep = (id: string, kept: KeptDownload | undefined): void => {
    try {
      const downloads = [...read().filter((other) => other.id !== id), ...(kept === undefined ? [] : [kept])];
      storage().setItem(downloadsKey, JSON.stringify({ version: 1, downloads }));
    } catch {
      // As above.
    }
  };
  const keepPaused = (id: string, paused: boolean): void => {
    const kept = read().find((other) => other.id === id);
    if (kept !== undefined) keep(id, { ...kept, paused });
  };

  const get = (id: string): Download | undefined => cell.get().find((download) => download.id === id);
  const change = (id: string, changes: Partial<Download>): void =>
    cell.update((list) => list.map((download) => (download.id === id ? { ...download, ...changes } : download)));
  const drop = (id: string): void => cell.update((list) => list.filter((download) => download.id !== id));
  const add = (download: Download): void =>
    cell.update((list) => [...list.filter(({ id }) => id !== download.id), download]);

  const run = (model: WantedModel): void => {
    const { id, baseUrl } = model;
    if (running.has(id)) return;
    const abort = new AbortController();
    const rate = createTransferRate();
    change(id, { phase: "running", bytesPerSecond: undefined, silences: undefined });
    const onEvent = (event: LoadEvent): void => {
      if (event.type !== "download" || abort.signal.aborted) return;
      const { loaded, total, stored, silences } = event;
      if (silences !== undefined) {
        // Of its total nothing may be known yet, and what is known stays so.
        change(id, { silences, bytesPerSecond: undefined });
        return;
      }
      // Bytes that were stored before have not been transferred.
      const bytesPerSecond = loaded > stored ? rate.add(now(), loaded) : undefined;
      change(id, { loaded, total, bytesPerSecond, silences: undefined });
    };
    const work = async (): Promise<void> => {
      try {
        await fetchAhead({ id, baseUrl }, onEvent, abort.signal);
      } catch (error) {
        if (abort.signal.aborted) return;
        const code = errorCodeOf(error);
        if (code === "internal") console.warn("A download failed:", error);
        change(id, { phase: code === "quota" ? "no-room" : "failed", code });
        return;
      } finally {
        running.delete(id);
      }
      keep(id, undefined);
      repairs.delete(id);
      await arrived(id);
    };
    running.set(id, { abort, ended: work() });
  };

  const arrived = async (id: string): Promise<void> => {
    const forChat = wantedByChat.delete(id);
    if (forChat) change(id, { phase: "starting" });
    // Before it is listed it can't be chosen.
    await changed().catch((error: unknown) => console.warn("What is stored could not be listed:", error));
    if (forChat && (await use(id).catch(() => false))) drop(id);
    else change(id, { phase: "done" });
  };

  const stop = async (id: string): Promise<void> => {
    const job = running.get(id);
    job?.abort.abort();
    await job?.ended;
  };

  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    start(model, purpose) {
      const { id, name, baseUrl, architecture, bytes } = model;
      if (running.has(id)) return;
      keep(id, { id, name, baseUrl, architecture, bytes, paused: false, repair: purpose === "repair" });
      if (purpose === "use") wantedByChat.add(id);
      else repairs.add(id);
      add({ id, name, baseUrl, architecture, bytes, phase: "running", loaded: 0, total: 0 });
      run(model);
    },
    pause(id) {
      if (get(id)?.phase !== "running") return;
      keepPaused(id, true);
      change(id, { phase: "paused", bytesPerSecond: undefined });
      void stop(id);
    },
    resume(id) {
      const download = get(id);
      if (download === undefined || !["paused", "failed", "no-room"].includes(download.phase)) return;
      keepPaused(id, false);
      change(id, { phase: "running" });
      // What is still ending must not be taken for what goes on.
      void (running.get(id)?.ended ?? Promise.resolve()).then(() => {
        if (get(id)?.phase === "running") run(download);
      });
    },
    async cancel(id) {
      const isNew = !repairs.has(id);
      // Before it stops here, or a tab that waits for its turn would go on with it.
      keep(id, undefined);
      wantedByChat.delete(id);
      drop(id);
      await stop(id);
      // A tab that waited may hold it for a moment, until it has heard.
      for (let attempt = 0; isNew && attempt < 20 && (await forget(id)) === "in-use"; attempt++)
        await new Promise((resolve) => setTimeout(resolve, 200));
      await changed();
    },
    dismiss(id) {
      if (get(id)?.phase === "done") drop(id);
    },
    restore(held) {
      for (const { paused, repair, ...model } of read()) {
        if (get(model.id) !== undefined) continue;
        if (repair) repairs.add(model.id);
        add({ ...model, phase: "paused", loaded: 0, total: 0 });
        if (!paused && !held) run(model);
      }
    },
    followOtherTabs() {
      const kept = new Map(read().map((download) => [download.id, download]));
      for (const { id, phase } of cell.get()) {
        if (phase === "done" || phase === "starting") continue;
        const there = kept.get(id);
        if (there === undefined) {
          drop(id);
          void stop(id).then(changed);
        } else if (there.paused && phase === "running") {
          change(id, { phase: "paused", bytesPerSecond: undefined });
          void stop(id);
        } else if (!there.paused && phase === "paused") {
          change(id, { phase: "running" });
          const { abort } = running.get(id) ?? {};
          if (abort === undefined || abort.signal.aborted)
            void (running.get(id)?.ended ?? Promise.resolve()).then(() => {
              const download = get(id);
              if (download?.phase === "running") run(download);
            });
        }
      }
    },
  };
}
