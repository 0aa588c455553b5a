// Quantizes in Node's worker threads, each with its own kernel and memory. Knows no checkpoint.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { quantizeKernelBytes } from "./quantize-kernel.ts";
import type { Quantizer } from "./quantize.ts";
import { quantizerPool, type KernelAnswer, type QuantizerThread } from "./quantizer-pool.ts";

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
  const threads = Array.from({ length: width }, () => startThread(module));
  return {
    ...quantizerPool(threads),
    async end() {
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

interface Thread extends QuantizerThread {
  end(): Promise<void>;
}

function startThread(module: WebAssembly.Module): Thread {
  const worker = new Worker(source, { eval: true, workerData: module });
  worker.unref();
  const under: { readonly resolve: (outputs: KernelAnswer) => void; readonly reject: (error: Error) => void }[] = [];
  let dead: Error | undefined;
  const die = (error: Error) => {
    dead ??= error;
    for (const { reject } of under.splice(0)) reject(dead);
    worker.unref();
  };
  // Answers come in the order of the jobs.
  worker.on("message", (outputs: KernelAnswer) => {
    under.shift()?.resolve(outputs);
    if (under.length === 0) worker.unref();
  });
  worker.on("error", die);
  worker.on("exit", () => die(new Error("a quantizing thread has ended")));
  return {
    run: (call, spent) =>
      new Promise((resolve, reject) => {
        if (dead) {
          reject(dead);
          return;
        }
        under.push({ resolve, reject });
        // While it works, it is what the process waits for.
        worker.ref();
        // A part of something larger would be sent as the whole.
        const inputs = call.inputs.map(({ at, bytes }) => {
          return { at, bytes: bytes.length < bytes.buffer.byteLength ? bytes.slice() : bytes };
        });
        const whole = spent && spent.length === spent.buffer.byteLength ? [spent.buffer] : [];
        worker.postMessage({ ...call, inputs }, whole);
      }),
    async end() {
      await worker.terminate();
    },
  };
}
