// Quantizes in worker threads of Node, each with a kernel and a memory of its own. Knows no checkpoint.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { quantizeKernelBytes } from "./quantize-kernel.ts";
import { kernelCall, quantizedRows, type KernelCall, type Quantizer } from "./quantize.ts";

/** What a thread does: makes the calls it is told of. */
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

type Outputs = readonly Uint8Array<ArrayBuffer>[] | null;

/** Starts `width` threads, by default one per processor. They do not keep the process alive. */
export function quantizerThreads(width = availableParallelism()): QuantizerThreads {
  const module = new WebAssembly.Module(quantizeKernelBytes());
  const threads = Array.from({ length: width }, () => startThread(module));
  const free = [...threads];
  const waiting: ((thread: Thread) => void)[] = [];
  return {
    width,
    async quantize(job) {
      const thread = free.pop() ?? (await new Promise<Thread>((resolve) => waiting.push(resolve)));
      try {
        const outputs = await thread.run(kernelCall(job));
        return outputs ? quantizedRows(outputs) : undefined;
      } finally {
        const next = waiting.shift();
        if (next) next(thread);
        else free.push(thread);
      }
    },
    async end() {
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

interface Thread {
  run(call: KernelCall): Promise<Outputs>;
  end(): Promise<void>;
}

function startThread(module: WebAssembly.Module): Thread {
  const worker = new Worker(source, { eval: true, workerData: module });
  worker.unref();
  let under: { resolve: (outputs: Outputs) => void; reject: (error: Error) => void } | undefined;
  let dead: Error | undefined;
  const die = (error: Error) => {
    dead ??= error;
    under?.reject(dead);
    under = undefined;
    worker.unref();
  };
  worker.on("message", (outputs: Outputs) => {
    under?.resolve(outputs);
    under = undefined;
    worker.unref();
  });
  worker.on("error", die);
  worker.on("exit", () => die(new Error("a quantizing thread has ended")));
  return {
    run: (call) =>
      new Promise((resolve, reject) => {
        if (dead) {
          reject(dead);
          return;
        }
        under = { resolve, reject };
        // While it works, it is what the process waits for.
        worker.ref();
        // Copied, not transferred: it may be part of something larger that stays in use.
        const inputs = call.inputs.map(({ at, bytes }) => {
          return { at, bytes: bytes.length < bytes.buffer.byteLength ? bytes.slice() : bytes };
        });
        worker.postMessage({ ...call, inputs });
      }),
    async end() {
      await worker.terminate();
    },
  };
}
