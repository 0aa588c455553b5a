// Deals quantization jobs out to threads, whichever host they are of.
import { alone, type Thread } from "#convert/threads/thread.ts";
import { kernelCall, quantizedRows, type KernelCall, type Quantizer } from "./quantize.ts";

/** What the kernel wrote; null where a value is NaN or infinite. */
export type KernelAnswer = readonly Uint8Array<ArrayBuffer>[] | null;

/** A quantizer over at least one thread, each with a kernel of its own. */
export function quantizerPool(threads: readonly Thread<KernelCall, KernelAnswer>[]): Quantizer {
  // Two jobs per thread, so that a thread that finishes has its next job before this one learns of it.
  const free = [...threads, ...threads];
  const waiting: ((thread: Thread<KernelCall, KernelAnswer>) => void)[] = [];
  return {
    width: 2 * threads.length,
    async quantize(job) {
      const thread =
        free.shift() ?? (await new Promise<Thread<KernelCall, KernelAnswer>>((resolve) => waiting.push(resolve)));
      try {
        const call = kernelCall(job);
        const inputs = call.inputs.map(({ at, bytes }) => ({ at, bytes: alone(bytes) }));
        // What is spent is taken away from here, and other inputs are copied.
        const isWhole = job.spent === true && job.bytes.length === job.bytes.buffer.byteLength;
        const outputs = await thread.ask({ ...call, inputs }, isWhole ? [job.bytes.buffer] : []);
        return outputs ? quantizedRows(outputs) : undefined;
      } finally {
        const next = waiting.shift();
        if (next) next(thread);
        else free.push(thread);
      }
    },
  };
}
