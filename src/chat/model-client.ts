// What the chat needs of a model, in its own words. The worker's client satisfies it; so does anything that yields the same events.
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import type { LoadEvent, LoadedModel } from "#worker/api.ts";

export interface ModelClient {
  /** Loads, or starts again after a failure; rejects with an EngineError (or one that came through Comlink). */
  load(onEvent: (event: LoadEvent) => void): Promise<LoadedModel>;
  /** One answer; ends with `done`, also after an abort. */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateEvent>;
  /** Calls back when the model dies, also while nothing runs; returns how to stop listening. */
  onDied(listener: (error: Error) => void): () => void;
}
