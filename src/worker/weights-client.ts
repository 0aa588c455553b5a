// The page's side of what is stored: starts the download worker's file when it is first needed. Knows no storage.
import { proxy, wrap, type Remote } from "comlink";
import type { PackagesApi } from "./api.ts";
import { watchWorker, type WorkerLife } from "./worker-life.ts";

export type { ModelFit, PackageOffer, PackagesApi, StoredModelInfo } from "./api.ts";

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
  };
}
