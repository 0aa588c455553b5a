// Starts the kernel's helping threads as workers beside this one. Knows no decoder.
import type { HelperStart } from "./helper.web.ts";
import type { KernelHelpers } from "./memory.ts";

/** A worker that does not start within this time is done without. */
const patienceMs = 5000;

/** So many helpers at most; a host whose workers can't start workers of their own has none. */
export function webKernelHelpers(count: number): KernelHelpers | undefined {
  if (count < 1 || typeof Worker !== "function") return undefined;
  return {
    count,
    // Some 150 µs, from one token to the next: the page wants the processors too.
    linger: 100_000,
    async start(module, memory) {
      const ready: Worker[] = [];
      // One after another: a helper's number must be below the number of those that are there.
      for (let thread = 1; thread <= count; thread++) {
        const worker = new Worker(new URL("./helper.web.ts", import.meta.url), {
          type: "module",
          name: "kernel",
        });
        const start: HelperStart = { module, memory, thread };
        if (!(await isReady(worker, start))) {
          worker.terminate();
          break;
        }
        ready.push(worker);
      }
      return { count: ready.length, end: () => ready.forEach((worker) => worker.terminate()) };
    },
  };
}

function isReady(worker: Worker, start: HelperStart): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patienceMs);
    const settle = (ready: boolean) => () => {
      clearTimeout(timer);
      resolve(ready);
    };
    worker.addEventListener("message", settle(true));
    worker.addEventListener("error", settle(false));
    worker.addEventListener("messageerror", settle(false));
    try {
      worker.postMessage(start);
    } catch {
      settle(false)(); // memory that can't be shared here
    }
  });
}
