// Quantizes in the browser's workers, each with its own kernel and memory. Knows no checkpoint.
import { startThread } from "#convert/threads/thread.web.ts";
import { quantizeKernelBytes } from "./quantize-kernel.ts";
import { quantizerHere, type KernelCall, type Quantizer } from "./quantize.ts";
import { quantizerPool, type KernelAnswer } from "./quantizer-pool.ts";

/** A pool of threads. */
export interface QuantizerWorkers extends Quantizer {
  /** Ends the threads; jobs under way reject. */
  end(): void;
}

/** Starts `width` threads, by default one per processor; where workers can't start workers it is this thread. */
export async function quantizerWorkers(width = navigator.hardwareConcurrency): Promise<QuantizerWorkers> {
  const module = await WebAssembly.compile(quantizeKernelBytes());
  const start = async () => {
    if (typeof Worker !== "function") return undefined;
    const script = new URL("./quantize-thread.web.ts", import.meta.url);
    return startThread<KernelCall, KernelAnswer>(new Worker(script, { type: "module", name: "quantize" }), module);
  };
  const started = await Promise.all(Array.from({ length: Math.max(1, width) }, start));
  const threads = started.filter((thread) => thread !== undefined);
  if (threads.length === 0) return { ...quantizerHere, end: () => undefined };
  return { ...quantizerPool(threads), end: () => threads.forEach((thread) => void thread.end()) };
}
