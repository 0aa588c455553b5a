// Tensors in buffers of a WebGPU device: made, written, read and copied without ONNX Runtime's own JavaScript, which would move them to main
// memory for good. Knows no graphs.
import { bufferUsage } from "./gpu.web.ts";
import type { DeviceMemory, Ort } from "./runtime.ort.ts";
import { elementCount } from "./runtime.ts";
import { createTopK } from "./top-k.web.ts";

/** The memory of a device, as ONNX Runtime's tensors. */
export function deviceMemory(device: GPUDevice, { Tensor }: Ort): DeviceMemory {
  let topK: ReturnType<typeof createTopK> | undefined;
  return {
    top(tensor, rows, rowLength, k) {
      topK ??= createTopK(device);
      const firstRow = elementCount(tensor.dims) / rowLength - rows;
      return topK({ buffer: tensor.gpuBuffer, firstRow, rows, rowLength, k });
    },
    allocate(dims, dataType) {
      const bytes = Math.max(16, Math.ceil(elementCount(dims) / 4) * 16);
      const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;
      const buffer = device.createBuffer({ size: bytes, usage });
      const tensor = Tensor.fromGpuBuffer(buffer, { dataType, dims });
      return { tensor, free: () => buffer.destroy() };
    },
    write(tensor, data) {
      device.queue.writeBuffer(tensor.gpuBuffer, 0, data);
    },
    read: async (tensor) => new Float32Array(await readBuffer(device, tensor.gpuBuffer, elementCount(tensor.dims) * 4)),
    copy(steps) {
      const encoder = device.createCommandEncoder();
      for (const { from, fromOffset, to, toOffset, count } of steps) {
        if (count > 0)
          encoder.copyBufferToBuffer(from.gpuBuffer, fromOffset * 4, to.gpuBuffer, toOffset * 4, count * 4);
      }
      device.queue.submit([encoder.finish()]);
    },
    settle: async () => {
      await device.queue.onSubmittedWorkDone();
    },
  };
}

async function readBuffer(device: GPUDevice, buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const readable = device.createBuffer({ size: bytes, usage: bufferUsage.mapRead | bufferUsage.copyTarget });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, readable, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await readable.mapAsync(bufferUsage.mapRead);
    return readable.getMappedRange().slice(0);
  } finally {
    readable.destroy();
  }
}
