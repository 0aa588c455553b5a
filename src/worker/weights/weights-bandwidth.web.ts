// A measurement of at most about a second: how many bytes this device reads and adds up. On a hardware adapter by a compute shader,
// elsewhere by this thread. Knows no package.
import { bufferUsage, probeGpu, requestGpuDevice } from "#engine/runtime/gpu.web.ts";
import { isIsolated } from "#engine/runtime/threads.web.ts";
import type { Bandwidth } from "#weights/decode-speed.ts";

const gpuBytes = 64 * 2 ** 20;
const longestMs = 400;
const workgroup = 256;

const shader = `
@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4<f32>>;
@compute @workgroup_size(${workgroup}) fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let stride = groups.x * ${workgroup}u;
  var sum = vec4<f32>();
  for (var i = id.x; i < arrayLength(&source); i += stride) { sum += source[i]; }
  sums[id.x] = sum;
}`;

/** On the graphics device where it is hardware; never rejects. */
export async function measureBandwidth(): Promise<Bandwidth> {
  const gpu = await probeGpu();
  if (gpu.kind === "adapter" && !gpu.software) {
    try {
      return { bytesPerSecond: await measureGpu(await requestGpuDevice(gpu)), onGpu: true };
    } catch {
      // A device that can't do this little is judged by its processor.
    }
  }
  return { bytesPerSecond: measureThread() * threadShare(), onGpu: false };
}

/** Bytes per second of a compute shader's sum; destroys the device. */
export async function measureGpu(device: GPUDevice): Promise<number> {
  try {
    const groups = 256;
    const source = device.createBuffer({ size: gpuBytes, usage: bufferUsage.storage });
    const sums = device.createBuffer({ size: groups * workgroup * 16, usage: bufferUsage.storage });
    const module = device.createShaderModule({ code: shader });
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    const bindings = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: source } },
        { binding: 1, resource: { buffer: sums } },
      ],
    });
    const run = async (times: number): Promise<number> => {
      const began = performance.now();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      for (let time = 0; time < times; time++) pass.dispatchWorkgroups(groups);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return performance.now() - began;
    };
    await run(1); // Compiles, and touches the memory.
    let times = 1;
    let took = await run(times);
    // Longer until the cost of asking no longer counts.
    while (took < longestMs / 4 && times < 4096) took = await run((times *= 4));
    return (gpuBytes * times) / (took / 1000);
  } finally {
    device.destroy();
  }
}

/** Bytes per second of one thread's sum. */
function measureThread(): number {
  const values = new Float64Array(2 ** 22); // 32 MiB, more than most caches
  let sum = 0;
  let read = 0;
  const began = performance.now();
  for (;;) {
    for (let i = 0; i < values.length; i += 4)
      sum += (values[i] ?? 0) + (values[i + 1] ?? 0) + (values[i + 2] ?? 0) + (values[i + 3] ?? 0);
    read += values.byteLength;
    const took = performance.now() - began;
    if (took > longestMs / 4) return (read + sum) / (took / 1000);
  }
}

/** Threads share the memory: two read nearly twice as much, eight not four times. */
function threadShare(): number {
  return isIsolated() ? Math.min(2, navigator.hardwareConcurrency) : 1;
}
