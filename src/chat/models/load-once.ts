// Lets several callers share a model's client, such as the chat and a comparison: its model is loaded once, until it dies. Knows no page
// and no storage.
import { errorCodeOf } from "#engine/errors.ts";
import type { GenerateEvent } from "#engine/types.ts";
import type { ModelClient, ReadyModel } from "./model-client.ts";

/** Failures that end the model: it has to be loaded again before anything else can be asked. */
export const fatalCodes: ReadonlySet<string> = new Set(["device-lost", "worker-dead", "out-of-memory"]);

/** Wraps the client: while it is loaded or being loaded, every further load gets the first one's result. */
export function loadOnce(client: ModelClient): ModelClient {
  let loaded: Promise<ReadyModel> | undefined;
  /** Aborts the load under way, for all who wait for it. */
  let ending = new AbortController();
  const listeners = new Set<Parameters<ModelClient["load"]>[0]>();
  client.onDied(() => {
    loaded = undefined;
  });
  return {
    load(onEvent, signal) {
      listeners.add(onEvent);
      if (loaded === undefined) {
        ending = new AbortController();
        const loading = client.load((event) => {
          for (const listener of listeners) listener(event);
        }, ending.signal);
        loaded = loading;
        loading.catch(() => {
          if (loaded === loading) loaded = undefined;
        });
      }
      const mine = ending;
      const end = (): void => mine.abort();
      signal?.addEventListener("abort", end, { once: true });
      return loaded.finally(() => {
        listeners.delete(onEvent);
        signal?.removeEventListener("abort", end);
      });
    },
    async *generate(request, signal, adapter): AsyncGenerator<GenerateEvent> {
      try {
        yield* client.generate(request, signal, adapter);
      } catch (error) {
        if (fatalCodes.has(errorCodeOf(error))) loaded = undefined;
        throw error;
      }
    },
    ...(client.prepare && { prepare: client.prepare.bind(client) }),
    onDied: (listener) => client.onDied(listener),
  };
}
