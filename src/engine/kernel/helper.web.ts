// A helping thread of the decoder's kernel, in a worker of its own: waits inside WebAssembly for its share of a run. Knows nothing else.
import type { TeamKernel } from "./memory.ts";

/** What the worker is sent once; it answers with nothing in particular when it is ready. */
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
