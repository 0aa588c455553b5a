// The page's side of the worker that converts checkpoints: started when it is first needed, and again after it has died.
import { proxy, wrap, type Remote } from "comlink";
import type { LivingApi } from "#worker/api.ts";
import type {
  ConversionApi,
  ConversionEvent,
  ConversionMade,
  ConversionPlan,
  ConversionRequest,
  GatedPlace,
  GgufChoices,
} from "./convert-api.ts";
import { watchWorker, type WorkerLife, type WorkerLike } from "#worker/worker-life.ts";

/** Converts checkpoints on this device. */
export interface Conversions {
  plan(request: ConversionRequest): Promise<ConversionPlan | GatedPlace | GgufChoices>;
  /** Rejects with an AbortError once `pause` has aborted; what is stored by then stays. See ConversionApi for other rejections. */
  convert(
    request: ConversionRequest,
    onEvent: (event: ConversionEvent) => void,
    pause: AbortSignal,
  ): Promise<ConversionMade | GatedPlace>;
  discard(id: string): Promise<"done" | "in-use">;
  /** Terminates the worker; the next call starts it again. */
  end(): void;
}

type Api = ConversionApi & LivingApi;

/** Starts nothing yet. `runtimeUrl` as in ConversionRequest; `start` is replaced in tests. */
export function createConversions(runtimeUrl?: string, start: () => Worker = startWorker): Conversions {
  let live: { readonly api: Remote<Api>; readonly life: WorkerLife } | undefined;
  let jobs = 0;
  const ask = <T>(call: (api: Remote<Api>) => Promise<T>): Promise<T> => {
    if (!live || live.life.cause) {
      const worker = start();
      const api = wrap<Api>(worker);
      const watched: WorkerLike = worker;
      // Nobody else listens for its death: pending calls are rejected by it.
      live = {
        api,
        life: watchWorker(
          watched,
          () => undefined,
          (name) => api.holdLock(name),
        ),
      };
    }
    const { api, life } = live;
    return life.guard(call(api));
  };
  return {
    plan: (request) => ask(async (api) => await api.plan(request)),
    async convert(request, onEvent, pause) {
      pause.throwIfAborted();
      const job = String(++jobs);
      // A dead worker can't hear a pause; the call that it was for has been rejected already.
      const stop = (): void => void ask((api) => api.pause(job)).catch(() => undefined);
      pause.addEventListener("abort", stop, { once: true });
      try {
        return await ask(async (api) => await api.convert({ runtimeUrl, ...request }, proxy(onEvent), job));
      } finally {
        pause.removeEventListener("abort", stop);
      }
    },
    discard: (id) => ask(async (api) => await api.discard(id)),
    end() {
      live?.life.end();
      live = undefined;
    },
  };
}

function startWorker(): Worker {
  return new Worker(new URL("./convert-worker.ts", import.meta.url), { type: "module", name: "convert" });
}
