// A stored model with an adapter (LoRA), as a model of its own: it shares the worker of its base, and everything that is loaded there.
// Knows no page and no storage.
import type { LoadEvent } from "#worker/api.ts";
import type { ModelClient } from "./model-client.ts";

/** The base's worker, which can load adapters, too. */
export interface AdapterHost {
  loadAdapter(
    adapter: { readonly id: string; readonly path: string },
    onEvent: (event: LoadEvent) => void,
  ): Promise<unknown>;
}

interface AdaptedModelOptions {
  /** Loads once, however often it is asked: where the base is loaded, only the adapter is loaded. */
  readonly base: ModelClient;
  readonly host: AdapterHost;
  /** `path` is the address of its package, "" when it came from a file; `name` names base and adapter. */
  readonly adapter: { readonly id: string; readonly path: string; readonly name: string };
}

/** Each request names the adapter, so that base and adapter may be asked in any order. */
export function createAdaptedModel({ base, host, adapter }: AdaptedModelOptions): ModelClient {
  const { id, path, name } = adapter;
  return {
    async load(onEvent, signal) {
      const began = performance.now();
      const ready = await base.load(onEvent, signal);
      await host.loadAdapter({ id, path }, onEvent);
      return { ...ready, id, name, loadMs: performance.now() - began };
    },
    generate: (request, signal) => base.generate(request, signal, id),
    prepare: (request, signal) => base.prepare?.(request, signal, id) ?? Promise.resolve([]),
    onDied: (listener) => base.onDied(listener),
  };
}
