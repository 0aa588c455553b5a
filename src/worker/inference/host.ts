// The worker's side of the wire, whatever runs the model: calls wait for their turn in one queue and go to the loaded model one by one.
// Knows no Comlink, no engine and no browser.
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest, PictureKinds } from "#engine/types.ts";
import type { InferenceApi, LoadedAdapter, LoadedModel, LoadEvent, LoadRequest, StoredPackage } from "#worker/api.ts";
import { createJobQueue } from "./job-queue.ts";

/** Takes one event; awaited, so that none arrives after the call's own reply. */
export type OnEvent<E> = (event: E) => Promise<void> | void;

/** A loaded model behind the wire. It is asked for one thing at a time; `adapter` is the id of one that was loaded, or absent. */
export interface HostedModel {
  /** What the page is told about the engine. */
  readonly about: Omit<LoadedModel, "id" | "loadMs">;
  /** Tells every event in order, `done` last, also when the signal is aborted; resolves when the last one was taken. */
  generate(
    request: GenerateRequest,
    signal: AbortSignal,
    onEvent: OnEvent<GenerateEvent>,
    adapter: string | undefined,
  ): Promise<void>;
  /** See InferenceApi. */
  prepare(request: GenerateRequest, signal: AbortSignal, adapter: string | undefined): Promise<PictureKinds>;
  /** See InferenceApi. */
  loadAdapter(id: string, stored: StoredPackage): Promise<LoadedAdapter>;
  dispose(): Promise<void>;
}

/** An InferenceApi that can also let go of its model. The page never asks for that: it ends the whole worker. */
export interface InferenceHost extends InferenceApi {
  unload(): Promise<void>;
}

/** Serves the calls of one worker; `loadModel` brings a package into memory and leaves nothing behind when it rejects. */
export function createHost(
  loadModel: (request: LoadRequest, onEvent: OnEvent<LoadEvent>) => Promise<HostedModel>,
): InferenceHost {
  const queue = createJobQueue();
  let loaded: HostedModel | undefined;

  const model = (): HostedModel => {
    if (!loaded) throw new EngineError("internal", "no model is loaded");
    return loaded;
  };
  const unload = async (): Promise<void> => {
    const before = loaded;
    loaded = undefined;
    await before?.dispose();
  };

  return {
    load(request, onEvent) {
      return queue.run(async () => {
        const startedAt = performance.now();
        await unload();
        loaded = await loadModel(request, onEvent);
        return { id: request.model.id, ...loaded.about, loadMs: performance.now() - startedAt };
      });
    },
    generate(request, onEvent, { job, adapter } = {}) {
      return queue.run((signal) => model().generate(request, signal, onEvent, adapter), job);
    },
    async prepare(request, { job, adapter } = {}) {
      return (await queue.runIdle(async (signal) => loaded?.prepare(request, signal, adapter), job)) ?? [];
    },
    loadAdapter: (id, stored) => queue.run(() => model().loadAdapter(id, stored)),
    stop(job) {
      queue.stop(job);
      return Promise.resolve();
    },
    unload: () => queue.run(unload),
    ping: () => Promise.resolve(),
  };
}
