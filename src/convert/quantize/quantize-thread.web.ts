// A thread that quantizes: makes the kernel calls that are sent to it, in their order. Its first message is the compiled kernel.
import type { KernelCall } from "./quantize.ts";
import type { QuantizeKernel } from "./quantize-kernel.ts";
import type { KernelAnswer } from "./quantizer-pool.ts";

const memory = new WebAssembly.Memory({ initial: 1 });
let kernel: Promise<QuantizeKernel> | undefined;

self.addEventListener("message", ({ data }: MessageEvent<WebAssembly.Module | KernelCall>) => {
  if (data instanceof WebAssembly.Module) {
    kernel = WebAssembly.instantiate(data, { env: { memory } }).then(
      ({ exports }) => exports as unknown as QuantizeKernel, // what kernels/quantize.ts exports
    );
    void kernel.then(() => self.postMessage("ready"));
    return;
  }
  void kernel?.then((compiled) => {
    const { end, inputs, args, outputs } = data;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    const all = new Uint8Array(memory.buffer);
    for (const { at, bytes } of inputs) all.set(bytes, at);
    const made: KernelAnswer = compiled.quantize(...args)
      ? outputs.map(({ at, bytes }) => new Uint8Array(memory.buffer.slice(at, at + bytes)))
      : null;
    self.postMessage(made, { transfer: (made ?? []).map(({ buffer }) => buffer) });
  });
});
