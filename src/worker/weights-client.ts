// The page's side of what is stored: starts the download worker's file when it is first needed. Knows no storage.
import { proxy, wrap, type Remote } from "comlink";
import type { LoadEvent, ModelRef, PackagesApi, WeightsApi } from "./api.ts";
import { watchWorker, type WorkerLife } from "./worker-life.ts";

export type { ModelFit, PackageOffer, PackagesApi, StoredModelInfo } from "./api.ts";

/**
 * Brings a package into storage, in a worker that lives as long. Rejects with an EngineError, one with a code in its name, or an
 * AbortError; what has arrived by then is kept.
 */
export async function fetchPackageAhead(
  model: ModelRef,
  onEvent: (event: LoadEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const started = new Worker(new URL("./weights-worker.ts", import.meta.url), { type: "module", name: "download" });
  const api = wrap<WeightsApi>(started);
  const life = watchWorker(started, () => undefined);
  // A Stop that a dead worker can't hear is no news: the call it was for has been rejected.
  const stop = (): void => void life.guard(api.stop()).catch(() => undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await life.guard(api.fetchAhead(model, proxy(onEvent)));
  } finally {
    signal.removeEventListener("abort", stop);
    life.end();
  }
}

/** Rejections are EngineErrors, or errors with a code in their name. Starts nothing yet. */
export function createPackagesClient(): PackagesApi {
  let live: { readonly api: Remote<PackagesApi>; readonly life: WorkerLife } | undefined;
  const worker = (): NonNullable<typeof live> => {
    if (!live || live.life.cause) {
      const started = new Worker(new URL("./weights-worker.ts", import.meta.url), { type: "module", name: "weights" });
      live = { api: wrap<PackagesApi>(started), life: watchWorker(started, () => undefined) };
    }
    return live;
  };
  const ask = <T>(call: (api: Remote<PackagesApi>) => Promise<T>): Promise<T> => {
    const { api, life } = worker();
    return life.guard(call(api));
  };
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
