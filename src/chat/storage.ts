// Models that someone keeps in this browser beside the built-in one: found in storage, added by address, imported from a file; each is
// offered to the list of models. Knows no page and not how anything is stored.
import type { ModelClient } from "./model-client.ts";
import type { ModelOffer, ModelRegistry } from "./models.ts";
import { createCell, type Observable } from "./observable.ts";
import type { PackageOffer, PackagesApi, StoredModelInfo } from "#worker/api.ts";

export interface StorageState {
  /** Undefined until it was looked up. */
  readonly stored: readonly StoredModelInfo[] | undefined;
  readonly usedBytes: number | undefined;
  readonly quotaBytes: number | undefined;
  readonly persisted: boolean | undefined;
}

export type PreviewedModel = PackageOffer & { readonly id: string; readonly baseUrl: string };

export interface StoredModels extends Observable<StorageState>, Omit<PackagesApi, "list" | "preview"> {
  /** Looks up what is stored and offers it. */
  refresh(): Promise<void>;
  /** What lies at an address, or at "owner/name" on the hub; undefined when that is neither. Rejects with the codes of a load. */
  preview(typed: string): Promise<PreviewedModel | undefined>;
  /** Offers a model that is not stored; choosing it fetches it. */
  add(model: Pick<PreviewedModel, "id" | "name" | "baseUrl">): void;
}

export interface StoredModelsOptions {
  readonly packages: PackagesApi;
  readonly registry: Pick<ModelRegistry, "offer">;
  readonly connect: (model: { readonly id: string; readonly path: string }) => ModelClient;
  readonly estimate: () => Promise<Omit<StorageState, "stored">>;
  /** Offered anyway. */
  readonly builtInId: string;
}

/** The absolute URL of a package folder, from an address or a hub id; undefined when it is neither. */
export function packageAddress(typed: string): string | undefined {
  const text = typed.trim();
  if (/^[\w.-]+\/[\w.-]+$/.test(text)) return `https://huggingface.co/${text}/resolve/main/`;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  url.hash = "";
  url.search = "";
  const folder = url.pathname.replace(/manifest\.json$/, "");
  url.pathname = folder.endsWith("/") ? folder : `${folder}/`;
  // The hub shows a repository under one address and serves its files under another.
  const repository = url.hostname === "huggingface.co" ? /^\/([\w.-]+\/[\w.-]+)\/$/.exec(url.pathname)?.[1] : undefined;
  return repository === undefined ? url.href : packageAddress(repository);
}

/** Nothing is looked up yet. */
export function createStoredModels(options: StoredModelsOptions): StoredModels {
  const { packages, registry, connect, estimate, builtInId } = options;
  const cell = createCell<StorageState>({
    stored: undefined,
    usedBytes: undefined,
    quotaBytes: undefined,
    persisted: undefined,
  });
  const offers = new Map<string, ModelOffer>();
  const offer = (id: string, name: string, path: string): void => {
    // The same object keeps its client, and what that has loaded.
    if (!offers.has(id)) offers.set(id, { id, name, connect: () => connect({ id, path }) });
  };
  const tell = (): void => registry.offer("stored", [...offers.values()]);

  const refresh = async (): Promise<void> => {
    const [stored, room] = await Promise.all([packages.list(), estimate()]);
    for (const { id, name, complete, baseUrl } of stored)
      if (complete && id !== builtInId) offer(id, name === "" ? id : name, baseUrl);
    tell();
    cell.set({ stored, ...room });
  };
  const thenRefresh = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } finally {
      await refresh();
    }
  };

  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    refresh,
    verify: (id, onProgress) => thenRefresh(packages.verify(id, onProgress)),
    async forget(id) {
      const outcome = await packages.forget(id);
      if (outcome === "done") offers.delete(id);
      await refresh();
      return outcome;
    },
    exportPackage: (id) => packages.exportPackage(id),
    importPackage: (files) => thenRefresh(packages.importPackage(files)),
    async preview(typed) {
      const baseUrl = packageAddress(typed);
      return baseUrl === undefined ? undefined : { ...(await packages.preview(baseUrl)), id: baseUrl, baseUrl };
    },
    add({ id, name, baseUrl }) {
      offer(id, name, baseUrl);
      tell();
    },
  };
}
