// The models in this browser besides the built-in one: found in storage, added by address or imported from a file. Each is offered to the
// list of models. Knows no page, and not how anything is stored.
import type { ModelClient } from "./model-client.ts";
import type { ModelOffer, ModelRegistry } from "./models.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import { zooName } from "#zoo/zoo.ts";
import type { PackageArchitecture, PackagesApi, StoredPackageInfo } from "#worker/api.ts";
import type { PreviewedModel } from "#chat/models/look-up/look-up.ts";

export interface StorageState {
  /** Undefined until it has been looked up. */
  readonly stored: readonly StoredPackageInfo[] | undefined;
  readonly usedBytes: number | undefined;
  readonly quotaBytes: number | undefined;
  readonly persisted: boolean | undefined;
}

/** A package to be connected: `path` is its address, "" when it came from a file. */
export interface PackageRef {
  readonly id: string;
  readonly path: string;
  readonly architecture: PackageArchitecture;
}

/** An adapter to be connected with its base. */
export interface AdapterRef {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly baseId: string;
}

/** The stored package that a stored adapter fits; undefined when there is none. */
export function baseOf(
  adapter: StoredPackageInfo,
  stored: readonly StoredPackageInfo[],
): StoredPackageInfo | undefined {
  return stored.find(
    ({ architecture, fits, complete }) => architecture === "llava" && complete && fits === adapter.fits,
  );
}

export interface StoredModels extends Observable<StorageState>, Omit<PackagesApi, "list" | "preview" | "device"> {
  /** Looks up what is stored and offers it. */
  refresh(): Promise<void>;
  /** Offers a model that is not stored; choosing it fetches it. */
  add(model: Pick<PreviewedModel, "id" | "name" | "baseUrl" | "architecture">): void;
}

interface StoredModelsOptions {
  readonly packages: PackagesApi;
  readonly registry: Pick<ModelRegistry, "offer">;
  readonly connect: (model: PackageRef) => ModelClient;
  /** An adapter with the model `baseId`, which is offered, too; `name` names both. Where it is absent, adapters are not offered. */
  readonly connectAdapter?: (adapter: AdapterRef) => ModelClient;
  readonly estimate: () => Promise<Omit<StorageState, "stored">>;
  /** Always offered, so never by this. */
  readonly builtInId: string;
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
    // An offer that stays the same object keeps its client, and what that has loaded.
    if (!offers.has(id)) offers.set(id, { id, name, connect: () => connect(model) });
  };
  /** Offers by the adapter's id; one is made anew when the adapter's base has changed. */
  const adapted = new Map<string, { readonly baseId: string; readonly offer: ModelOffer }>();
  const updateOffers = (): void =>
    registry.offer("stored", [...offers.values(), ...[...adapted.values()].map(({ offer }) => offer)]);

  const offerAdapters = (stored: readonly StoredPackageInfo[]): void => {
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
        offer(zooName(id) ?? (name === "" ? id : name), { id, path: baseUrl, architecture });
    offerAdapters(stored);
    updateOffers();
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
    add({ id, name, baseUrl, architecture }) {
      offer(name, { id, path: baseUrl, architecture });
      updateOffers();
    },
  };
}
