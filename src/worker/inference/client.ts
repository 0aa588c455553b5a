// A model of this device, as the page sees it: fetches its package through the download worker and loads it in an inference worker.
// Knows no engine and no storage.
import { proxy } from "comlink";
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest, PictureKinds } from "#engine/types.ts";
import type { LoadEvent, LoadedAdapter, LoadedModel, LoadRequest, PackageSource, StoredPackage } from "#worker/api.ts";
import { createInferenceWorker, type InferenceWorker, type StoredAdapter } from "./inference-worker.ts";
import type { WeightsWorker } from "#worker/weights/weights-client.ts";

/** A package, as the page names it: a record of the zoo is one. */
interface PackagePath {
  readonly id: string;
  /** The address of the package's folder, relative to the page or absolute; "" when it came from a file. */
  readonly path: string;
}

export interface ModelClientOptions {
  readonly model: PackagePath;
  readonly device: LoadRequest["device"];
  /** The page's download worker. */
  readonly weights: WeightsWorker;
  /** The page's base: `document.baseURI`. */
  readonly pageUrl: string;
  /** Absolute URL of the folder with the runtime's wasm files, ending with a slash. */
  readonly runtimeUrl: string;
  /** Starts what serves the InferenceApi; default this project's engine. */
  readonly startWorker?: (() => Worker) | undefined;
  /** Milliseconds of silence, with a call pending, after which a worker counts as dead; default two minutes. */
  readonly silenceMs?: number;
}

/** Rejections are EngineErrors, or errors with a code in their name (`errorCodeOf` reads both), or an AbortError. */
export interface WorkerModelClient {
  /** Fetches what is missing and loads it in a new worker; call again to start anew after a failure. */
  load(onEvent: (event: LoadEvent) => void, signal?: AbortSignal): Promise<LoadedModel>;
  /**
   * Fetches what is missing of an adapter and puts it beside the loaded model, of which nothing is fetched or loaded again. Rejects with
   * "bad-package" where it does not fit; the model then goes on as it was.
   */
  loadAdapter(adapter: PackagePath, onEvent: (event: LoadEvent) => void): Promise<LoadedAdapter>;
  /**
   * One answer, which waits for those that were asked for before; abort, or leave the loop, to stop it. Ends with `done`. `adapter`: the id of
   * one that was loaded.
   */
  generate(request: GenerateRequest, signal: AbortSignal, adapter?: string): AsyncGenerator<GenerateEvent, void>;
  /**
   * Prefills what an answer to this would begin with; the answer is the same without. Resolves when it is done, stopped by the signal or by an
   * answer; does nothing while one runs.
   */
  prepare(request: GenerateRequest, signal: AbortSignal, adapter?: string): Promise<PictureKinds>;
  /** Whether every shard of the model is stored in this browser. */
  isStored(): Promise<boolean>;
  /** Called when the inference worker dies, also while nothing runs; returns how to stop listening. */
  onDied(listener: (error: EngineError) => void): () => void;
  /** Ends the inference worker, and with it all that is loaded; `load` starts it again. */
  dispose(): void;
}

function startEngine(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "inference" });
}

/** Starts nothing yet. */
export function createModelClient(options: ModelClientOptions): WorkerModelClient {
  const { model, device, weights, pageUrl, runtimeUrl, startWorker = startEngine, silenceMs = 120_000 } = options;
  const sourceOf = ({ id, path }: PackagePath): PackageSource => ({
    id,
    baseUrl: path === "" ? "" : new URL(path, pageUrl).href,
  });
  const source = sourceOf(model);
  /** The loaded adapters by id, which a restarted worker is given again. */
  const adapters = new Map<string, StoredPackage>();
  const listeners = new Set<(error: EngineError) => void>();
  let inference: InferenceWorker | undefined;

  /** A fresh worker per load: wasm memory never shrinks, and a device that failed is gone for good. */
  const newInferenceWorker = (): InferenceWorker => {
    inference?.life.end();
    const onDeath = (error: EngineError): void => {
      for (const listener of listeners) listener(error);
    };
    inference = createInferenceWorker(startWorker(), onDeath, silenceMs);
    return inference;
  };
  const loaded = (): InferenceWorker => {
    if (!inference) throw new EngineError("worker-dead", "no model is loaded");
    return inference;
  };
  const adapterOf = (id: string): StoredAdapter => {
    const stored = adapters.get(id);
    if (!stored) throw new EngineError("internal", `the adapter ${id} was not loaded`);
    return { id, stored };
  };

  return {
    async load(onEvent, signal) {
      signal?.throwIfAborted();
      const job = weights.newJob();
      const worker = newInferenceWorker();
      const { life } = worker;
      const stop = (): void => {
        weights.ask((store) => store.stop(job)).catch(() => undefined);
        life.end(new DOMException("loading was stopped", "AbortError"));
      };
      signal?.addEventListener("abort", stop, { once: true });
      const onDownload = proxy((event: LoadEvent) => onEvent(event));
      try {
        // Guarded by both: the inference worker can fail to start while weights are fetched.
        const stored = await life.guard(weights.ask((store) => store.ensure(source, onDownload, job)));
        return await worker.load({ model: source, package: stored, device, runtimeUrl }, onEvent);
      } finally {
        signal?.removeEventListener("abort", stop);
      }
    },
    async loadAdapter({ id, path }, onEvent) {
      loaded();
      const job = weights.newJob();
      const stored = await weights.ask((store) => store.ensure(sourceOf({ id, path }), proxy(onEvent), job));
      adapters.set(id, stored);
      return loaded().loadAdapter({ id, stored });
    },
    async *generate(request, signal, adapter) {
      yield* loaded().generate(request, signal, adapter === undefined ? undefined : adapterOf(adapter));
    },
    async prepare(request, signal, adapter) {
      return (await inference?.prepare(request, signal, adapter)) ?? [];
    },
    isStored: () => weights.ask((store) => store.isComplete(source)),
    onDied(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose() {
      inference?.life.end();
      inference = undefined;
      adapters.clear();
    },
  };
}
