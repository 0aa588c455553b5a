// Models that someone keeps in this browser beside the built-in one: found in storage, added by address, imported from a file; each is
// offered to the list of models. Knows no page and not how anything is stored.
import type { ModelClient } from "./model-client.ts";
import type { ModelOffer, ModelRegistry } from "./models.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import { hubModelName, repositoryOf } from "#zoo/hub-models.ts";
import type { PackageArchitecture, PackageOffer, PackagesApi, StoredModelInfo } from "#worker/api.ts";

export interface StorageState {
  /** Undefined until it was looked up. */
  readonly stored: readonly StoredModelInfo[] | undefined;
  readonly usedBytes: number | undefined;
  readonly quotaBytes: number | undefined;
  readonly persisted: boolean | undefined;
}

export type PreviewedModel = PackageOffer & { readonly baseUrl: string };

/** A package to be connected: `path` is its address, "" when it came from a file. */
export interface PackageRef {
  readonly id: string;
  readonly path: string;
  readonly architecture: PackageArchitecture;
}

/** An adapter to be put beside its base. */
export interface AdapterRef {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly baseId: string;
}

/** The stored package that a stored adapter runs beside; undefined when none is here. */
export function baseOf(adapter: StoredModelInfo, stored: readonly StoredModelInfo[]): StoredModelInfo | undefined {
  return stored.find(
    ({ architecture, fits, complete }) => architecture === "llava" && complete && fits === adapter.fits,
  );
}

export interface StoredModels extends Observable<StorageState>, Omit<PackagesApi, "list" | "preview" | "device"> {
  /** Looks up what is stored and offers it. */
  refresh(): Promise<void>;
  /** What lies at an address, or at "owner/name" on the hub; undefined when that is neither. Rejects with the codes of a load. */
  preview(typed: string): Promise<PreviewedModel | undefined>;
  /** Offers a model that is not stored; choosing it fetches it. */
  add(model: Pick<PreviewedModel, "id" | "name" | "baseUrl" | "architecture">): void;
}

export interface StoredModelsOptions {
  readonly packages: PackagesApi;
  readonly registry: Pick<ModelRegistry, "offer">;
  readonly connect: (model: PackageRef) => ModelClient;
  /** An adapter beside the model `baseId`, which is offered, too; `name` tells of both. Absent, adapters are not offered. */
  readonly connectAdapter?: (adapter: AdapterRef) => ModelClient;
  readonly estimate: () => Promise<Omit<StorageState, "stored">>;
  /** Offered anyway. */
  readonly builtInId: string;
  /** Absolute URL of the hub, or of a mirror of it, with a trailing slash. */
  readonly hub?: string | undefined;
}

/** Where "owner/name" is looked up. */
export const defaultHub = "https://huggingface.co/";

/** A hub that was given in the page's address, such as a mirror: its origin with a trailing slash; undefined when it is no address. */
export function hubAddressOf(given: string | null): string | undefined {
  if (given === null || !URL.canParse(given)) return undefined;
  const { protocol, origin, hostname } = new URL(given);
  const own = hostname === "localhost" || hostname === "127.0.0.1";
  return protocol === "https:" || (protocol === "http:" && own) ? `${origin}/` : undefined;
}

/** The absolute URL of a package folder, from an address or a hub id; undefined when it is neither. */
export function packageAddress(typed: string, hub = defaultHub): string | undefined {
  const text = typed.trim();
  if (/^[\w.-]+\/[\w.-]+$/.test(text)) return `${hub}${text}/resolve/main/`;
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
  const onHub = url.hostname === "huggingface.co" || `${url.origin}/` === hub;
  const repository = onHub ? /^\/([\w.-]+\/[\w.-]+)\/$/.exec(url.pathname)?.[1] : undefined;
  return repository === undefined ? url.href : packageAddress(repository, `${url.origin}/`);
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
  const offer = (name: string, model: PackageRef): void => {
    const { id } = model;
    // The same object keeps its client, and what that has loaded.
    if (!offers.has(id)) offers.set(id, { id, name, connect: () => connect(model) });
  };
  /** By the adapter's id, as long as it is beside the same model. */
  const adapted = new Map<string, { readonly baseId: string; readonly offer: ModelOffer }>();
  const tell = (): void =>
    registry.offer("stored", [...offers.values(), ...[...adapted.values()].map(({ offer }) => offer)]);

  const offerAdapters = (stored: readonly StoredModelInfo[]): void => {
    const adapters = stored.filter(({ architecture, complete }) => architecture === "llava-adapter" && complete);
    for (const id of adapted.keys()) if (!adapters.some((adapter) => adapter.id === id)) adapted.delete(id);
    for (const adapter of adapters) {
      const { id, baseUrl } = adapter;
      const base = baseOf(adapter, stored);
      if (base === undefined || options.connectAdapter === undefined) adapted.delete(id);
      else if (adapted.get(id)?.baseId !== base.id) {
        const name = `${base.name} + ${adapter.name}`;
        const ref: AdapterRef = { id, path: baseUrl, name, baseId: base.id };
        const make = options.connectAdapter;
        adapted.set(id, { baseId: base.id, offer: { id, name, connect: () => make(ref) } });
      }
    }
  };

  const refresh = async (): Promise<void> => {
    const [stored, room] = await Promise.all([packages.list(), estimate()]);
    for (const { id, name, complete, baseUrl, architecture = "llava" } of stored)
      if (complete && id !== builtInId && architecture !== "llava-adapter")
        offer(hubModelName(id) ?? (name === "" ? id : name), { id, path: baseUrl, architecture });
    offerAdapters(stored);
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
      const baseUrl = packageAddress(repositoryOf(typed.trim()), options.hub);
      return baseUrl === undefined ? undefined : { ...(await packages.preview(baseUrl)), baseUrl };
    },
    add({ id, name, baseUrl, architecture }) {
      offer(name, { id, path: baseUrl, architecture });
      tell();
    },
  };
}
