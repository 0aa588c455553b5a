// A helper thread of a kernel, in a worker of its own: waits inside WebAssembly for work. Knows nothing else.
import type { TeamKernel } from "./memory.ts";

/** The one message to the worker, which answers with any message when it is ready. */
export interface HelperStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly thread: number;
}

self.addEventListener("message", ({ data: { module, memory, thread } }: MessageEvent<HelperStart>) => {
  void WebAssembly.instantiate(module, { env: { memory } }).then(({ exports }) => {
    self.postMessage("ready");
    (exports as unknown as TeamKernel).help(thread);
  });
});
