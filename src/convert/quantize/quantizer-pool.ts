// Deals quantization jobs out to threads, whichever host they are of.
import { kernelCall, quantizedRows, type KernelCall, type Quantizer } from "./quantize.ts";

/** What the kernel wrote; null where a value is NaN or infinite. */
export type KernelAnswer = readonly Uint8Array<ArrayBuffer>[] | null;

/** A thread with a kernel of its own, which answers calls in their order. */
export interface QuantizerThread {
  /** `spent` is taken away from here; other inputs are copied. */
  run(call: KernelCall, spent: Uint8Array<ArrayBuffer> | undefined): Promise<KernelAnswer>;
}

/** A quantizer over at least one thread. */
export function quantizerPool(threads: readonly QuantizerThread[]): Quantizer {
  // Two jobs per thread, so that a thread that finishes has its next job before this one learns of it.
  const free = [...threads, ...threads];
  const waiting: ((thread: QuantizerThread) => void)[] = [];
  return {
    width: 2 * threads.length,
    async quantize(job) {
      const thread = free.shift() ?? (await new Promise<QuantizerThread>((resolve) => waiting.push(resolve)));
      try {
        const outputs = await thread.run(kernelCall(job), job.spent ? job.bytes : undefined);
        return outputs ? quantizedRows(outputs) : undefined;
      } finally {
        const next = waiting.shift();
        if (next) next(thread);
        else free.push(thread);
      }
    },
  };
}
