// Quantizes in Node's worker threads, each with its own kernel and memory. Knows no checkpoint.
import { availableParallelism } from "node:os";
import { startThread } from "#convert/threads/thread.node.ts";
import { quantizeKernelBytes } from "./quantize-kernel.ts";
import type { KernelCall, Quantizer } from "./quantize.ts";
import { quantizerPool, type KernelAnswer } from "./quantizer-pool.ts";

/** The code of a worker thread: it makes the calls that are sent to it. */
const source = `
const { parentPort, workerData } = require("node:worker_threads");
const memory = new WebAssembly.Memory({ initial: 1 });
const { exports: { quantize } } = new WebAssembly.Instance(workerData, { env: { memory } });
parentPort.on("message", ({ end, inputs, args, outputs }) => {
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const all = new Uint8Array(memory.buffer);
  for (const { at, bytes } of inputs) all.set(bytes, at);
  const found = quantize(...args) ? outputs.map(({ at, bytes }) => new Uint8Array(memory.buffer.slice(at, at + bytes))) : null;
  parentPort.postMessage(found, found ? found.map(({ buffer }) => buffer) : []);
});`;

/** A pool of threads. */
export interface QuantizerThreads extends Quantizer {
  /** Ends the threads; jobs under way reject. */
  end(): Promise<void>;
}

/** Starts `width` threads, by default one per processor. They do not keep the process alive. */
export function quantizerThreads(width = availableParallelism()): QuantizerThreads {
  const module = new WebAssembly.Module(quantizeKernelBytes());
  const threads = Array.from({ length: width }, () => startThread<KernelCall, KernelAnswer>(source, module));
  return {
    ...quantizerPool(threads),
    async end() {
      await Promise.all(threads.map(async (thread) => await thread.end()));
    },
  };
}
