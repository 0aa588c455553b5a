// Starts the kernel's helping threads as Node's worker threads. Knows no decoder.
import { Worker } from "node:worker_threads";
import type { KernelHelpers } from "./memory.ts";

const source = `
const { parentPort, workerData: { module, memory, thread } } = require("node:worker_threads");
WebAssembly.instantiate(module, { env: { memory } }).then(({ exports: { help } }) => {
  parentPort.postMessage("ready");
  help(thread);
});`;

/** So many helpers; they do not keep the process alive. */
export function nodeKernelHelpers(count: number): KernelHelpers | undefined {
  if (count < 1) return undefined;
  return {
    count,
    // Some 40 ms. Linux wakes a thread where it ran last: one that went to sleep soon after it was woken on the first thread's processor is woken
    // there again and again, one that stays awake is moved to a free one. Nothing else here wants it.
    linger: 24_000_000,
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
