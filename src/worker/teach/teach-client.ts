// The page's side of the worker that teaches models: started when it is first needed, and again after it has died.
import { proxy, wrap, type Remote } from "comlink";
import type { LivingApi } from "#worker/api.ts";
import type { OnStop, Taught, TeachEvent, TeachingApi, TeachPlan, TeachRequest } from "./teach-api.ts";
import { watchWorker, type WorkerLife } from "#worker/worker-life.ts";

/** Aborts a run; `then` is asked at that moment what becomes of what was learned. */
export interface TeachStop {
  readonly signal: AbortSignal;
  readonly then: () => OnStop;
}

/** Teaches models on this device. */
export interface Teaching {
  plan(request: TeachRequest): Promise<TeachPlan>;
  /** See TeachingApi. A closed tab or a dead worker loses this run and nothing else. */
  teach(request: TeachRequest, onEvent: (event: TeachEvent) => void, stop: TeachStop): Promise<Taught | undefined>;
  /** Terminates the worker; the next call starts it again. */
  end(): void;
}

type Api = TeachingApi & LivingApi;

/** Starts nothing yet. `start` is replaced in tests. */
export function createTeaching(start: () => Worker = startWorker): Teaching {
  let live: { readonly api: Remote<Api>; readonly life: WorkerLife } | undefined;
  let jobs = 0;
  const ask = <T>(call: (api: Remote<Api>) => Promise<T>): Promise<T> => {
    if (!live || live.life.cause) {
      const worker = start();
      const api = wrap<Api>(worker);
      // Nobody else listens for its death: pending calls are rejected by it.
      const life = watchWorker(
        worker,
        () => undefined,
        (name) => api.holdLock(name),
      );
      live = { api, life };
    }
    const { api, life } = live;
    return life.guard(call(api));
  };
  return {
    plan: (request) => ask(async (api) => await api.plan(request)),
    async teach(request, onEvent, { signal, then }) {
      if (signal.aborted) return undefined;
      const job = String(++jobs);
      // A dead worker can't hear a stop; the call that it was for has been rejected already.
      const stop = (): void => void ask((api) => api.stop(job, then())).catch(() => undefined);
      signal.addEventListener("abort", stop, { once: true });
      try {
        return await ask(async (api) => await api.teach(request, proxy(onEvent), job));
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },
    end() {
      live?.life.end();
      live = undefined;
    },
  };
}

function startWorker(): Worker {
  return new Worker(new URL("./teach-worker.ts", import.meta.url), { type: "module", name: "teach" });
}
