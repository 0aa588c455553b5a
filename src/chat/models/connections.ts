// The models that were connected on this device: each package with its worker, and each adapter, which shares the worker of its base.
import type { PackageArchitecture } from "#worker/api.ts";
import { createAdaptedModel, type AdapterHost } from "./adapted-model.ts";
import type { EndableClient, ModelMemory } from "./memory.ts";
import type { ModelClient } from "./model-client.ts";
import type { AdapterRef, PackageRef } from "./storage.ts";

/** A package's worker. */
interface PackageClient extends EndableClient, AdapterHost {
  /** Whether the package is stored in this browser. */
  isStored(): Promise<boolean>;
}

export interface Connection {
  readonly client: PackageClient;
  readonly architecture: PackageArchitecture;
}

export interface Connections {
  /** A client of the package; its worker starts with the first load. */
  connect(ref: PackageRef): ModelClient;
  /** A client of the adapter's base with the adapter; throws where the base is not offered, with which adapters always come. */
  connectAdapter(adapter: AdapterRef): ModelClient;
  /** Where the model runs, by its id or its adapter's; undefined where it was not connected here. */
  get(id: string): Connection | undefined;
}

interface ConnectionsOptions {
  readonly createClient: (ref: PackageRef) => PackageClient;
  readonly memory: Pick<ModelMemory, "watch">;
  /** A model that is offered, loaded once for all who use it. */
  readonly offeredClient: (id: string) => ModelClient | undefined;
}

/** Nothing is connected yet. */
export function createConnections({ createClient, memory, offeredClient }: ConnectionsOptions): Connections {
  const packages = new Map<string, Connection>();
  /** The bases of adapters, by the adapters' ids. */
  const bases = new Map<string, string>();
  return {
    connect(ref) {
      const client = createClient(ref);
      packages.set(ref.id, { client, architecture: ref.architecture });
      return memory.watch(ref.id, client);
    },
    connectAdapter(adapter) {
      const { id, baseId } = adapter;
      const base = offeredClient(baseId);
      const host = packages.get(baseId)?.client;
      if (base === undefined || host === undefined) throw new Error(`the base of the adapter ${id} is not offered`);
      bases.set(id, baseId);
      return createAdaptedModel({ base, host, adapter });
    },
    get: (id) => packages.get(bases.get(id) ?? id),
  };
}
