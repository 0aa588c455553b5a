// Finds the k largest numbers of rows on the GPU, so that a few hundred bytes are read back instead of whole rows. In two passes, first over
// chunks of a row and then over their results: k times, a workgroup picks the largest of its numbers that follows the one picked before.
// Knows no tokens.

import { bufferUsage } from "./gpu.web.ts";
import type { Top } from "./runtime.ts";

export interface TopRequest {
  /** f32, rows one after another; readable as storage. */
  readonly buffer: GPUBuffer;
  readonly firstRow: number;
  readonly rows: number;
  readonly rowLength: number;
  /** At most 64 and at most a row's length. */
  readonly k: number;
}

const threads = 64;
/** Numbers per workgroup of the first pass. */
const chunk = 4096;

const shader = /* wgsl */ `
struct Shape { rowLength: u32, firstRow: u32, k: u32, groups: u32 }
struct Found { value: f32, place: u32 }

@group(0) @binding(0) var<storage, read> numbers: array<f32>;
@group(0) @binding(1) var<storage, read_write> partial: array<Found>;
@group(0) @binding(2) var<storage, read_write> result: array<Found>;
@group(0) @binding(3) var<uniform> shape: Shape;

const nowhere = 0xffffffffu;
var<workgroup> bests: array<Found, ${threads}>;

fn isBetter(a: Found, b: Found) -> bool {
  if (a.place == nowhere) { return false; }
  return b.place == nowhere || a.value > b.value || (a.value == b.value && a.place < b.place);
}

// The best of all threads' bests, for every thread.
fn best(thread: u32, mine: Found) -> Found {
  bests[thread] = mine;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    if (thread < half && isBetter(bests[thread + half], bests[thread])) { bests[thread] = bests[thread + half]; }
    workgroupBarrier();
  }
  let found = workgroupUniformLoad(&bests[0]);
  return found;
}

@compute @workgroup_size(${threads})
fn ofNumbers(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = (shape.firstRow + group.y) * shape.rowLength;
  let end = min((group.x + 1u) * ${chunk}u, shape.rowLength);
  var last = Found(0.0, nowhere);
  for (var taken = 0u; taken < shape.k; taken++) {
    var mine = Found(0.0, nowhere);
    for (var i = group.x * ${chunk}u + thread; i < end; i += ${threads}u) {
      let one = Found(numbers[row + i], i);
      if ((taken == 0u || (last.place != nowhere && isBetter(last, one))) && isBetter(one, mine)) { mine = one; }
    }
    last = best(thread, mine);
    if (thread == 0u) { partial[(group.y * shape.groups + group.x) * shape.k + taken] = last; }
  }
}

@compute @workgroup_size(${threads})
fn ofPartial(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let count = shape.groups * shape.k;
  var last = Found(0.0, nowhere);
  for (var taken = 0u; taken < shape.k; taken++) {
    var mine = Found(0.0, nowhere);
    for (var i = thread; i < count; i += ${threads}u) {
      let one = partial[group.y * count + i];
      if ((taken == 0u || (last.place != nowhere && isBetter(last, one))) && isBetter(one, mine)) { mine = one; }
    }
    last = best(thread, mine);
    if (thread == 0u) { result[group.y * shape.k + taken] = last; }
  }
}
`;

/** Compiles the passes for a device; calls are made one after another. */
export function createTopK(device: GPUDevice): (request: TopRequest) => Promise<Top[]> {
  const module = device.createShaderModule({ code: shader });
  const layout = device.createBindGroupLayout({
    entries: (["read-only-storage", "storage", "storage", "uniform"] as const).map((type, binding) => ({
      binding,
      visibility: 0x4, // compute
      buffer: { type },
    })),
  });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  const pipelines = ["ofNumbers", "ofPartial"].map((entryPoint) =>
    device.createComputePipeline({ layout: pipelineLayout, compute: { module, entryPoint } }),
  );
  const shape = device.createBuffer({ size: 16, usage: bufferUsage.uniform | bufferUsage.copyTarget });
  let told = "";
  const made = new Map<string, GPUBuffer>();
  /** The buffer of that name from the last call, if it is large enough. */
  const buffer = (name: string, bytes: number, flags: number): GPUBuffer => {
    const before = made.get(name);
    if (before && before.size >= bytes) return before;
    before?.destroy();
    const now = device.createBuffer({ size: bytes, usage: flags });
    made.set(name, now);
    return now;
  };
  return async ({ buffer: numbers, firstRow, rows, rowLength, k }) => {
    const groups = Math.ceil(rowLength / chunk);
    const bytes = rows * k * 8;
    const partial = buffer("partial", rows * groups * k * 8, bufferUsage.storage);
    const result = buffer("result", bytes, bufferUsage.storage | bufferUsage.copySource);
    const readable = buffer("readable", bytes, bufferUsage.mapRead | bufferUsage.copyTarget);
    const words = [rowLength, firstRow, k, groups];
    if (told !== words.join(" ")) device.queue.writeBuffer(shape, 0, Uint32Array.from(words));
    told = words.join(" ");
    const bindGroup = device.createBindGroup({
      layout,
      entries: [numbers, partial, result, shape].map((one, binding) => ({ binding, resource: { buffer: one } })),
    });
    const encoder = device.createCommandEncoder();
    for (const [i, pipeline] of pipelines.entries()) {
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(i === 0 ? groups : 1, rows);
      pass.end();
    }
    encoder.copyBufferToBuffer(result, 0, readable, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await readable.mapAsync(1, 0, bytes);
    const pairs = readable.getMappedRange(0, bytes).slice(0);
    readable.unmap();
    const [floats, places] = [new Float32Array(pairs), new Uint32Array(pairs)];
    return Array.from({ length: rows }, (_, row) => ({
      values: Float32Array.from({ length: k }, (__, i) => floats[(row * k + i) * 2] ?? 0),
      places: Uint32Array.from({ length: k }, (__, i) => places[(row * k + i) * 2 + 1] ?? 0),
    }));
  };
}
