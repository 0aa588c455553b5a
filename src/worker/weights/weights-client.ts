// The page's side of the one download worker: started when it is first needed, and again after it has died. Knows no storage.
import { proxy, wrap, type Remote } from "comlink";
import type { LivingApi, LoadEvent, PackageSource, PackagesApi, StoredPackage, WeightsApi } from "#worker/api.ts";
import { watchWorker, type WorkerLife } from "#worker/worker-life.ts";

export type { PackagesApi } from "#worker/api.ts";

/** The download worker of a page, shared by all who need it. */
export interface WeightsWorker {
  /** Runs the call in it; rejects when it dies meanwhile. */
  ask<T>(call: (api: Remote<WeightsApi & PackagesApi>) => Promise<T>): Promise<T>;
  /** A name that no other job has. */
  newJob(): string;
  /** Terminates it; the next call starts it again. */
  end(): void;
}

/** Starts nothing yet. */
export function createWeightsWorker(): WeightsWorker {
  let live: { readonly api: Remote<WeightsApi & PackagesApi>; readonly life: WorkerLife } | undefined;
  let jobs = 0;
  return {
    ask(call) {
      if (!live || live.life.cause) {
        const worker = new Worker(new URL("./weights-worker.ts", import.meta.url), { type: "module", name: "weights" });
        const api = wrap<WeightsApi & PackagesApi & LivingApi>(worker);
        // Only this callback hears of its death, so it rejects the pending calls.
        live = {
          api,
          life: watchWorker(
            worker,
            () => undefined,
            (name) => api.holdLock(name),
          ),
        };
      }
      const { api, life } = live;
      return life.guard(call(api));
    },
    newJob: () => String(++jobs),
    end() {
      live?.life.end();
      live = undefined;
    },
  };
}

/**
 * Brings packages into storage. Rejects with an EngineError, one with a code in its name, or an AbortError; what has arrived by then is
 * kept.
 */
export function createFetchAhead(
  weights: WeightsWorker,
): (model: PackageSource, onEvent: (event: LoadEvent) => void, signal: AbortSignal) => Promise<void> {
  return async (model, onEvent, signal) => {
    signal.throwIfAborted();
    const job = weights.newJob();
    // A dead worker can't hear a stop; the call that it was for has been rejected already.
    const stop = (): void => void weights.ask((api) => api.stop(job)).catch(() => undefined);
    signal.addEventListener("abort", stop, { once: true });
    try {
      await weights.ask((api) => api.fetchAhead(model, proxy(onEvent), job));
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
}

/** Gives packages from storage, where they are brought first if they are not there. */
export function createPackageGetter(weights: WeightsWorker): (model: PackageSource) => Promise<StoredPackage> {
  return (model) =>
    weights.ask(
      async (api) =>
        await api.ensure(
          model,
          proxy(() => undefined),
          weights.newJob(),
        ),
    );
}

/** Rejections are EngineErrors, or errors with a code in their name. */
export function createPackagesClient(weights: WeightsWorker): PackagesApi {
  const ask: WeightsWorker["ask"] = (call) => weights.ask(call);
  return {
    list: () => ask((api) => api.list()),
    verify: (id, onProgress) => ask(async (api) => await api.verify(id, proxy(onProgress))),
    forget: (id) => ask(async (api) => await api.forget(id)),
    exportPackage: (id) => ask(async (api) => await api.exportPackage(id)),
    importPackage: (files) => ask(async (api) => await api.importPackage(files)),
    preview: (baseUrl) => ask((api) => api.preview(baseUrl)),
    device: () => ask((api) => api.device()),
  };
}
