// The page's side of an inference worker: starts it, turns callbacks into an async iterable and an AbortSignal into a Stop,
// and rejects what is pending when a worker dies. Knows no engine and no storage.
import { proxy, wrap, type Remote } from "comlink";
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import type {
  InferenceApi,
  LoadEvent,
  LoadedAdapter,
  LoadedModel,
  LivingApi,
  LoadRequest,
  ModelRef,
  StoredPackage,
} from "./api.ts";
import type { WeightsWorker } from "./weights-client.ts";
import { watchWorker, type WorkerLife } from "./worker-life.ts";

export type { DeviceNotice, LoadEvent, LoadedAdapter, LoadedModel } from "./api.ts";

export interface ModelClientOptions {
  /** Id and package folder, relative to `pageUrl` or absolute, "" when it came from a file; a record of the zoo fits. */
  readonly model: { readonly id: string; readonly path: string };
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

/** Id and package folder, as of a model. */
export type AdapterRef = ModelClientOptions["model"];

/** Rejections are EngineErrors, or errors with a code in their name (`errorCodeOf` reads both), or an AbortError. */
export interface WorkerModelClient {
  /** Fetches what is missing and loads it in a new worker; call again to start anew after a failure. */
  load(onEvent: (event: LoadEvent) => void, signal?: AbortSignal): Promise<LoadedModel>;
  /**
   * Fetches what is missing of an adapter and puts it beside the loaded model, of which nothing is fetched or loaded again. Rejects with
   * "bad-package" where it does not fit; the model then goes on as it was.
   */
  loadAdapter(adapter: AdapterRef, onEvent: (event: LoadEvent) => void): Promise<LoadedAdapter>;
  /** One answer at a time, else "busy"; abort, or leave the loop, to stop it. Ends with `done`. `adapter`: the id of one that was loaded. */
  generate(request: GenerateRequest, signal: AbortSignal, adapter?: string): AsyncGenerator<GenerateEvent, void>;
  /**
   * Computes ahead what an answer to this would begin with; the answer is the same without. Resolves when it is done, stopped by the signal
   * or by an answer; does nothing while one runs.
   */
  prepare(request: GenerateRequest, signal: AbortSignal, adapter?: string): Promise<void>;
  /** Whether every shard of the model is stored in this browser. */
  isStored(): Promise<boolean>;
  /** Forgets the stored model. */
  remove(): Promise<void>;
  /** Called when the inference worker dies, also while nothing runs; returns how to stop listening. */
  onDied(listener: (error: EngineError) => void): () => void;
  /** Ends the inference worker, and with it all that is loaded; `load` starts it again. */
  dispose(): void;
}

interface Live {
  readonly api: Remote<InferenceApi>;
  readonly life: WorkerLife;
}

/** A Stop that a dead worker can't hear is no news: the call it was for has been rejected. */
const ignore = (): void => undefined;

const blobIds = new WeakMap<Blob, string>();
let blobsNamed = 0;

/** The worker gets copies of the pictures, and is told which are copies of the same. */
function withPictureIds(request: GenerateRequest): GenerateRequest {
  const idOf = (blob: Blob): string => {
    const id = blobIds.get(blob) ?? String(++blobsNamed);
    blobIds.set(blob, id);
    return id;
  };
  const messages = request.messages.map((message) => ({
    ...message,
    parts: message.parts.map((part) => (part.type === "image" ? { ...part, id: idOf(part.blob) } : part)),
  }));
  return { ...request, messages };
}

function startEngine(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "inference" });
}

/** Starts nothing yet. */
export function createModelClient(options: ModelClientOptions): WorkerModelClient {
  const { model, device, weights, pageUrl, runtimeUrl, startWorker = startEngine, silenceMs = 120_000 } = options;
  const refOf = ({ id, path }: AdapterRef): ModelRef => ({
    id,
    baseUrl: path === "" ? "" : new URL(path, pageUrl).href,
  });
  const ref = refOf(model);
  /** By id; a worker that was started again is given them again. */
  const adapters = new Map<string, StoredPackage>();
  let given = new Set<string>();
  const listeners = new Set<(error: EngineError) => void>();
  let inference: Live | undefined;
  let busy = false;

  /** A fresh worker per load: wasm memory never shrinks, and a device that failed is gone for good. */
  const newInferenceWorker = (): Live => {
    inference?.life.end();
    given = new Set();
    const worker = startWorker();
    const api = wrap<InferenceApi & LivingApi>(worker);
    const onDeath = (error: EngineError): void => {
      for (const listener of listeners) listener(error);
    };
    inference = { api, life: watchWorker(worker, onDeath, (name) => api.holdLock(name)) };
    return inference;
  };

  const load: WorkerModelClient["load"] = async (onEvent, signal) => {
    signal?.throwIfAborted();
    const job = weights.newJob();
    const { api, life } = newInferenceWorker();
    const stop = (): void => {
      weights.ask((store) => store.stop(job)).catch(ignore);
      life.end(new DOMException("loading was stopped", "AbortError"));
    };
    signal?.addEventListener("abort", stop, { once: true });
    const tell = proxy((event: LoadEvent) => {
      life.heard();
      onEvent(event);
    });
    try {
      // Guarded by both: the inference worker can fail to start while weights are fetched.
      const stored = await life.guard(weights.ask((store) => store.ensure(ref, tell, job)));
      const request: LoadRequest = { model: ref, package: stored, device, runtimeUrl };
      return await life.watch(api.load(request, tell), () => api.ping(), silenceMs);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  };

  const giveAdapter = async ({ api, life }: Live, id: string): Promise<LoadedAdapter> => {
    const stored = adapters.get(id);
    if (!stored) throw new EngineError("internal", `the adapter ${id} was not loaded`);
    const loaded = await life.watch(api.loadAdapter(id, stored), () => api.ping(), silenceMs);
    given.add(id);
    return loaded;
  };

  return {
    load,
    async loadAdapter(adapter, onEvent) {
      if (!inference) throw new EngineError("worker-dead", "no model is loaded");
      const job = weights.newJob();
      const stored = await weights.ask((store) => store.ensure(refOf(adapter), proxy(onEvent), job));
      adapters.set(adapter.id, stored);
      return giveAdapter(inference, adapter.id);
    },
    async *generate(request, signal, adapter) {
      if (!inference) throw new EngineError("worker-dead", "no model is loaded");
      if (busy) throw new EngineError("busy", "an answer is already under way");
      const asked = inference;
      const { api, life } = asked;
      busy = true;
      const queue: GenerateEvent[] = [];
      let wake = (): void => undefined;
      let ended = false;
      let failure: { readonly error: unknown } | undefined;
      const onEvent = proxy((event: GenerateEvent) => {
        life.heard();
        queue.push(event);
        wake();
      });
      const stop = (): void => void life.guard(api.stop()).catch(ignore);
      const ask = async (): Promise<void> => {
        if (adapter !== undefined && !given.has(adapter)) await giveAdapter(asked, adapter);
        const answered = life.watch(
          api.generate(withPictureIds(request), onEvent, adapter),
          () => api.ping(),
          silenceMs,
        );
        // A Stop from before the worker had begun is not heard by it.
        if (signal.aborted) stop();
        await answered;
      };
      const call = ask()
        .catch((error: unknown) => {
          failure = { error };
        })
        .finally(() => {
          ended = true;
          wake();
        });
      signal.addEventListener("abort", stop, { once: true });
      try {
        for (;;) {
          const event = queue.shift();
          if (event) yield event;
          else if (isEnded()) break;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
        if (failure) throw failure.error;
      } finally {
        signal.removeEventListener("abort", stop);
        if (!isEnded()) stop();
        await call;
        busy = false;
      }
      // Read through a function: the flag changes in callbacks, which the compiler does not follow.
      function isEnded(): boolean {
        return ended;
      }
    },
    async prepare(request, signal, adapter) {
      if (!inference || busy || signal.aborted) return;
      // An answer puts the adapter in place; this is too small a thing to.
      if (adapter !== undefined && !given.has(adapter)) return;
      const { api, life } = inference;
      const stop = (): void => void life.guard(api.stopPreparing()).catch(ignore);
      signal.addEventListener("abort", stop, { once: true });
      try {
        await life.guard(api.prepare(withPictureIds(request), adapter));
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
    isStored: () => weights.ask((store) => store.isComplete(ref)),
    remove: () => weights.ask((store) => store.remove(ref)),
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
