// What a worker holds: every WebAssembly memory made in it from now on, the GPU's buffers, and, seen from the page, its JavaScript heap. Knows no system.
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

interface MeasuredMemory {
  readonly bytes: number;
  readonly breakdown: readonly {
    readonly bytes: number;
    readonly types: readonly string[];
    readonly attribution: readonly { readonly url: string; readonly scope: string }[];
  }[];
}

declare global {
  interface Performance {
    /** Where the page is isolated, in Chromium. */
    measureUserAgentSpecificMemory?(): Promise<MeasuredMemory>;
  }
}

/** Bytes of the JavaScript heap of the page's workers, by the address of their code; undefined in browsers that do not tell. Collects garbage first. */
export async function workerHeaps(): Promise<((name: string) => number) | undefined> {
  const measured = await performance.measureUserAgentSpecificMemory?.();
  if (measured === undefined) return undefined;
  const { breakdown } = measured;
  return (name) =>
    breakdown
      .filter(
        ({ types, attribution }) => types.includes("JavaScript") && attribution.some(({ url }) => url.includes(name)),
      )
      .reduce((sum, { bytes }) => sum + bytes, 0);
}
