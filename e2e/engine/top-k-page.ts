// Lets a test find the largest numbers of rows on the browser's GPU. Bundled by the test that opens it; no part of the app.
import { createTopK } from "#engine/runtime/top-k.web.ts";

declare global {
  interface Window {
    /** Places and values of the k largest of each row but the first `skipped`, as the GPU finds them. */
    topOf: (numbers: number[], rowLength: number, skipped: number, k: number) => Promise<[number, number][][]>;
  }
}

const adapter = await navigator.gpu.requestAdapter();
const device = await adapter?.requestDevice();
if (!device) throw new Error("no GPU device");
const topK = createTopK(device);

window.topOf = async (numbers, rowLength, firstRow, k) => {
  const floats = Float32Array.from(numbers);
  const buffer = device.createBuffer({ size: floats.byteLength, usage: 0x80 | 0x08 });
  device.queue.writeBuffer(buffer, 0, floats);
  const rows = floats.length / rowLength - firstRow;
  const found = await topK({ buffer, firstRow, rows, rowLength, k });
  buffer.destroy();
  return found.map(({ values, places }) => [...places].map((place, i) => [place, values[i] ?? NaN]));
};
document.body.textContent = "ready";
