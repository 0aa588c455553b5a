// Quantizes in the browser's workers, each with its own kernel and memory. Knows no checkpoint.
import { quantizeKernelBytes } from "./quantize-kernel.ts";
import { quantizerHere, type Quantizer } from "./quantize.ts";
import { quantizerPool, type KernelAnswer, type QuantizerThread } from "./quantizer-pool.ts";

/** A worker that has not started within this time is given up. */
const startTimeoutMs = 5000;

/** A pool of threads. */
export interface QuantizerWorkers extends Quantizer {
  /** Ends the threads; jobs under way reject. */
  end(): void;
}

/** Starts `width` threads, by default one per processor; where workers can't start workers it is this thread. */
export async function quantizerWorkers(width = navigator.hardwareConcurrency): Promise<QuantizerWorkers> {
  const module = await WebAssembly.compile(quantizeKernelBytes());
  const started = await Promise.all(Array.from({ length: Math.max(1, width) }, () => startThread(module)));
  const threads = started.filter((thread) => thread !== undefined);
  if (threads.length === 0) return { ...quantizerHere, end: () => undefined };
  return {
    ...quantizerPool(threads),
    end: () => threads.forEach((thread) => thread.end()),
  };
}

interface Thread extends QuantizerThread {
  end(): void;
}

/** Undefined where the worker does not start. */
async function startThread(module: WebAssembly.Module): Promise<Thread | undefined> {
  if (typeof Worker !== "function") return undefined;
  const worker = new Worker(new URL("./quantize-thread.web.ts", import.meta.url), { type: "module", name: "quantize" });
  const under: { readonly resolve: (answer: KernelAnswer) => void; readonly reject: (error: Error) => void }[] = [];
  let dead: Error | undefined;
  const die = (message: string): void => {
    dead ??= new Error(message);
    for (const { reject } of under.splice(0)) reject(dead);
    worker.terminate();
  };
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), startTimeoutMs);
    const settle = (ready: boolean) => () => {
      clearTimeout(timer);
      resolve(ready);
    };
    worker.addEventListener("message", settle(true), { once: true });
    worker.addEventListener("error", settle(false), { once: true });
    worker.postMessage(module);
  });
  if (!isReady) {
    worker.terminate();
    return undefined;
  }
  // Answers come in the order of the jobs.
  worker.addEventListener("message", ({ data }: MessageEvent<KernelAnswer>) => under.shift()?.resolve(data));
  worker.addEventListener("error", ({ message }) => die(`a quantizing thread failed: ${message}`));
  return {
    run: (call, spent) =>
      new Promise((resolve, reject) => {
        if (dead) {
          reject(dead);
          return;
        }
        under.push({ resolve, reject });
        // A part of something larger would be sent as the whole.
        const inputs = call.inputs.map(({ at, bytes }) => {
          return { at, bytes: bytes.length < bytes.buffer.byteLength ? bytes.slice() : bytes };
        });
        const whole = spent && spent.length === spent.buffer.byteLength ? [spent.buffer] : [];
        worker.postMessage({ ...call, inputs }, whole);
      }),
    end: () => die("the quantizing threads were ended"),
  };
}
