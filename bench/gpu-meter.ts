// Counts what the code of this thread asks of the GPU, of any library: by wrapping WebGPU's own prototypes. Knows no system.
import type { PerToken } from "./measure.ts";
/* eslint-disable @typescript-eslint/unbound-method -- each is called on the object that it was called on */

export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly uploadedBytes: number;
  readonly readBytes: number;
  readonly buffers: number;
  readonly aliveBytes: number;
  readonly peakBytes: number;
  /** Between what was read back and the next request to read back: what the CPU took to make the GPU's next work, in milliseconds. */
  readonly hostMs: number;
}

/** Counts from now on; undefined where there is no WebGPU. Call it before anybody makes a device. */
export function startGpuMeter(): (() => GpuCounts) | undefined {
  if (typeof GPUDevice !== "function") return undefined;
  const counts = {
    dispatches: 0, submits: 0, uploadedBytes: 0, readBytes: 0, buffers: 0, aliveBytes: 0, peakBytes: 0, hostMs: 0,
  }; // prettier-ignore
  const alive = new WeakSet<GPUBuffer>();
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (this: GPUDevice, descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    alive.add(buffer);
    counts.buffers++;
    counts.aliveBytes += buffer.size;
    counts.peakBytes = Math.max(counts.peakBytes, counts.aliveBytes);
    if (descriptor.mappedAtCreation === true) counts.uploadedBytes += buffer.size;
    return buffer;
  };
  const { destroy, mapAsync } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function (this: GPUBuffer) {
    if (alive.delete(this)) counts.aliveBytes -= this.size;
    destroy.call(this);
  };
  let pending = 0;
  let lastRead: number | undefined;
  GPUBuffer.prototype.mapAsync = async function (this: GPUBuffer, mode, offset, size) {
    counts.readBytes += size ?? this.size - (offset ?? 0);
    if (pending++ === 0 && lastRead !== undefined) counts.hostMs += performance.now() - lastRead;
    try {
      return await mapAsync.call(this, mode, offset, size);
    } finally {
      if (--pending === 0) lastRead = performance.now();
    }
  };
  const { submit, writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (this: GPUQueue, buffers) {
    counts.submits++;
    submit.call(this, buffers);
  };
  GPUQueue.prototype.writeBuffer = function (this: GPUQueue, buffer, at, data, from, size) {
    const unit = ArrayBuffer.isView(data) && "BYTES_PER_ELEMENT" in data ? Number(data.BYTES_PER_ELEMENT) : 1;
    counts.uploadedBytes += size === undefined ? data.byteLength - (from ?? 0) * unit : size * unit;
    writeBuffer.call(this, buffer, at, data, from, size);
  };
  const { dispatchWorkgroups, dispatchWorkgroupsIndirect } = GPUComputePassEncoder.prototype;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (this: GPUComputePassEncoder, x, y, z) {
    counts.dispatches++;
    dispatchWorkgroups.call(this, x, y, z);
  };
  GPUComputePassEncoder.prototype.dispatchWorkgroupsIndirect = function (this: GPUComputePassEncoder, buffer, at) {
    counts.dispatches++;
    dispatchWorkgroupsIndirect.call(this, buffer, at);
  };
  return () => ({ ...counts });
}

/** What each of the tokens after the first asked for. */
export function perToken(first: GpuCounts, last: GpuCounts, tokens: number): PerToken | undefined {
  if (tokens < 2) return undefined;
  const each = (name: keyof GpuCounts): number => (last[name] - first[name]) / (tokens - 1);
  return {
    dispatches: each("dispatches"),
    submits: each("submits"),
    uploadedBytes: each("uploadedBytes"),
    readBytes: each("readBytes"),
    newBuffers: each("buffers"),
    hostMs: each("hostMs"),
  };
}
