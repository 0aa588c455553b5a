// Starts a kernel's helper threads as Node's worker threads. Knows no model.
import { Worker } from "node:worker_threads";
import type { KernelHelpers } from "./memory.ts";

const source = `
const { parentPort, workerData: { module, memory, thread } } = require("node:worker_threads");
WebAssembly.instantiate(module, { env: { memory } }).then(({ exports: { help } }) => {
  parentPort.postMessage("ready");
  help(thread);
});`;

/** `count` helpers, which do not keep the process alive; undefined for none. */
export function nodeKernelHelpers(count: number): KernelHelpers | undefined {
  if (count < 1) return undefined;
  return {
    count,
    // About 40 ms. Linux wakes a thread on the processor where it ran last, which may be the first thread's. A helper that sleeps soon would be woken
    // there again and again; one that keeps spinning is moved to a free processor, which nothing else here needs.
    idleSpins: 24_000_000,
    async start(module, memory) {
      const workers = Array.from({ length: count }, (_, i) => {
        const worker = new Worker(source, { eval: true, workerData: { module, memory, thread: i + 1 } });
        worker.unref();
        return worker;
      });
      await Promise.all(
        workers.map(
          (worker) =>
            new Promise((resolve, reject) => {
              worker.once("message", resolve);
              worker.once("error", reject);
            }),
        ),
      );
      return { count, end: () => workers.forEach((worker) => void worker.terminate()) };
    },
  };
}
