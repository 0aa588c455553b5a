// What the chat needs of a model. The worker's client satisfies it, and so does anything that yields the same events.
import type { AnswerDevice } from "#chat/conversation/conversation.ts";
import type { GenerateEvent, GenerateRequest, PictureKinds } from "#engine/types.ts";
import type { LoadEvent, LoadedModel } from "#worker/api.ts";

/** A model that can be asked. Where it has a `host`, everything it is asked is sent there. Unknown sizes are Infinity or 0. */
export interface ReadyModel extends Omit<LoadedModel, "device"> {
  readonly device: AnswerDevice;
  readonly host?: string | undefined;
}

export interface ModelClient {
  /**
   * Loads, or starts again after a failure; rejects with an EngineError (or one that came through Comlink), a RemoteError, or an AbortError
   * after the signal. What has been fetched by then stays stored.
   */
  load(onEvent: (event: LoadEvent) => void, signal?: AbortSignal): Promise<ReadyModel>;
  /** One answer; ends with `done`, also after an abort. `adapter`: the id of one that has been loaded with it (adapted-model.ts). */
  generate(request: GenerateRequest, signal: AbortSignal, adapter?: string): AsyncIterable<GenerateEvent>;
  /**
   * Computes ahead what an answer to this would begin with. Only a model of this device has it: nothing is sent anywhere before it is asked.
   */
  prepare?(request: GenerateRequest, signal: AbortSignal, adapter?: string): Promise<PictureKinds>;
  /** Calls back when the model dies, also while nothing runs; returns how to stop listening. */
  onDied(listener: (error: Error) => void): () => void;
}
