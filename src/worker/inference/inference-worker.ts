// The page's side of one inference worker, from its start to its end: turns callbacks into an async iterable and an AbortSignal into a
// stop, and rejects what is pending when the worker dies. Knows no engine, no storage and no package's address.
import { proxy, wrap } from "comlink";
import type { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest, PictureKinds } from "#engine/types.ts";
import type {
  InferenceApi,
  LivingApi,
  LoadedAdapter,
  LoadedModel,
  LoadEvent,
  LoadRequest,
  StoredPackage,
} from "#worker/api.ts";
import { eventStream } from "./event-stream.ts";
import { watchWorker, type WorkerLife } from "#worker/worker-life.ts";

/** An adapter's id and its files. */
export interface StoredAdapter {
  readonly id: string;
  readonly stored: StoredPackage;
}

export interface InferenceWorker {
  readonly life: WorkerLife;
  load(request: LoadRequest, onEvent: (event: LoadEvent) => void): Promise<LoadedModel>;
  loadAdapter(adapter: StoredAdapter): Promise<LoadedAdapter>;
  /** The events of one answer; an adapter that this worker does not have yet is loaded first. */
  generate(
    request: GenerateRequest,
    signal: AbortSignal,
    adapter: StoredAdapter | undefined,
  ): AsyncGenerator<GenerateEvent, void>;
  /** Does nothing with an adapter that this worker does not have yet: only an answer is worth loading one. */
  prepare(request: GenerateRequest, signal: AbortSignal, adapterId: string | undefined): Promise<PictureKinds>;
}

/** Wraps a worker that was just started. `silenceMs`: after so long without a sign, with a call pending, it counts as dead. */
export function createInferenceWorker(
  worker: Worker,
  onDeath: (error: EngineError) => void,
  silenceMs: number,
): InferenceWorker {
  const api = wrap<InferenceApi & LivingApi>(worker);
  const life = watchWorker(worker, onDeath, (name) => api.holdLock(name));
  const loadedAdapters = new Set<string>();
  let jobs = 0;

  const watch = <T>(work: Promise<T>): Promise<T> => life.watch(work, () => api.ping(), silenceMs);
  const heard = <E>(onEvent: (event: E) => void) =>
    proxy((event: E) => {
      life.heard();
      onEvent(event);
    });
  /** A new job's name, and how to stop it. */
  const newJob = () => {
    const job = String(++jobs);
    // A dead worker can't hear a stop; the call that it was for has been rejected already.
    return { job, stop: (): void => void life.guard(api.stop(job)).catch(() => undefined) };
  };
  const loadAdapter = async ({ id, stored }: StoredAdapter): Promise<LoadedAdapter> => {
    const loaded = await watch(api.loadAdapter(id, stored));
    loadedAdapters.add(id);
    return loaded;
  };

  return {
    life,
    load: (request, onEvent) => watch(api.load(request, heard(onEvent))),
    loadAdapter,
    async *generate(request, signal, adapter) {
      const { job, stop } = newJob();
      const ask = async (onEvent: (event: GenerateEvent) => void): Promise<void> => {
        if (adapter && !loadedAdapters.has(adapter.id)) await loadAdapter(adapter);
        const answered = watch(api.generate(withPictureIds(request), heard(onEvent), { job, adapter: adapter?.id }));
        // The worker does not know a job that it was told to stop before it was asked for it.
        if (signal.aborted) stop();
        await answered;
      };
      signal.addEventListener("abort", stop, { once: true });
      try {
        yield* eventStream(ask, stop);
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
    async prepare(request, signal, adapterId) {
      if (signal.aborted || (adapterId !== undefined && !loadedAdapters.has(adapterId))) return [];
      const { job, stop } = newJob();
      signal.addEventListener("abort", stop, { once: true });
      try {
        return await life.guard(api.prepare(withPictureIds(request), { job, adapter: adapterId }));
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
  };
}

const blobIds = new WeakMap<Blob, string>();
let blobCount = 0;

/** The worker gets a copy of each Blob with every call; the id tells it which copies are of the same picture. */
function withPictureIds(request: GenerateRequest): GenerateRequest {
  const idOf = (blob: Blob): string => {
    const id = blobIds.get(blob) ?? String(++blobCount);
    blobIds.set(blob, id);
    return id;
  };
  const messages = request.messages.map((message) => ({
    ...message,
    parts: message.parts.map((part) => (part.type === "image" ? { ...part, id: idOf(part.blob) } : part)),
  }));
  return { ...request, messages };
}
