// What a worker holds: every WebAssembly memory made in it from now on, and the GPU's buffers. Knows no system.
import type { GpuCounts } from "../gpu-meter.ts";
import type { Memory } from "./api.ts";

/** Call it before anything makes a memory. */
export function watchMemory(meter: (() => GpuCounts) | undefined): () => Memory {
  const memories: WeakRef<WebAssembly.Memory>[] = [];
  WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
    construct(target, [descriptor]: [WebAssembly.MemoryDescriptor]) {
      const memory = new target(descriptor);
      memories.push(new WeakRef(memory));
      return memory;
    },
  });
  return () => ({
    wasmBytes: memories.reduce((sum, memory) => sum + (memory.deref()?.buffer.byteLength ?? 0), 0),
    gpuBytes: meter?.().peakBytes,
  });
}
