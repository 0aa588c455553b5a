// Starts a kernel's helper threads as workers. Knows no model.
import type { HelperStart } from "./helper.web.ts";
import type { KernelHelpers } from "./memory.ts";

/** A worker that has not started within this time is given up. */
const startTimeoutMs = 5000;

/** At most `count` helpers; undefined where workers can't start workers. */
export function webKernelHelpers(count: number): KernelHelpers | undefined {
  if (count < 1 || typeof Worker !== "function") return undefined;
  return {
    count,
    // About 150 µs, enough from one token to the next; the page needs the processors, too.
    idleSpins: 100_000,
    async start(module, memory) {
      const ready: Worker[] = [];
      // One after another, so that the helpers that start are numbered without gaps.
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
    const timer = setTimeout(() => resolve(false), startTimeoutMs);
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
      settle(false)(); // the memory can't be shared here
    }
  });
}
