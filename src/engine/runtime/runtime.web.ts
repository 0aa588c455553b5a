// The runtime contract on onnxruntime-web, in a worker: WebGPU on a device of our own, or WASM.
// The build is picked by a dynamic import, so that a page fetches one of them; its wasm comes from the given folder on our own origin.
import { Tensor, type Env, type InferenceSession } from "onnxruntime-common";
import { EngineError } from "#engine/errors.ts";
import { webKernelHelpers } from "#engine/kernel/helpers.web.ts";
import { createOrtRuntime, type DeviceMemory, type Ort, type OrtHost } from "./runtime.ort.ts";
import { elementCount, type Runtime } from "./runtime.ts";
import { createTopK } from "./top-k.web.ts";

/** What WebGPU offers here. */
export type GpuProbe =
  | { readonly kind: "none"; readonly reason: "no-webgpu" | "no-adapter" }
  | { readonly kind: "adapter"; readonly adapter: GPUAdapter; readonly name: string; readonly software: boolean };

export interface WebRuntimeOptions {
  /** Absolute URL of the folder with the runtime's wasm files, ending with a slash. */
  readonly runtimeUrl: string;
}

/** Asks for an adapter; a software one is told apart, because WASM is faster than it. */
export async function probeGpu(): Promise<GpuProbe> {
  // Absent in browsers without WebGPU and on insecure origins, whatever the types say.
  const gpu = "gpu" in navigator ? navigator.gpu : undefined;
  if (!gpu) return { kind: "none", reason: "no-webgpu" };
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  } catch {
    adapter = null; // Some drivers throw where others answer null: no adapter either way.
  }
  if (!adapter) return { kind: "none", reason: "no-adapter" };
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const words = [vendor, architecture, device, description].join(" ");
  return {
    kind: "adapter",
    adapter,
    name: description !== "" ? description : [vendor, architecture].filter((word) => word !== "").join(" "),
    software: isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i.test(words),
  };
}

/** A runtime on the adapter of `probeGpu`; throws "no-device" when it gives no device. */
export async function createWebGpuRuntime(
  probe: Extract<GpuProbe, { kind: "adapter" }>,
  options: WebRuntimeOptions,
): Promise<Runtime> {
  const { adapter, name, software } = probe;
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({
      requiredFeatures: deviceFeatures(adapter, software),
      requiredLimits: deviceLimits(adapter),
    });
  } catch (error) {
    throw new EngineError("no-device", "the adapter gave no device", { cause: error });
  }
  const failure = watchDevice(device);
  const { ort, build } = await importWebGpuBuild();
  configure(ort, options.runtimeUrl, build);
  ort.env.wasm.numThreads = 1; // only shapes are computed on the CPU
  const host: OrtHost = {
    traits: {
      device: "webgpu",
      adapter: name,
      software,
      threads: 1,
      cacheStyle: "static",
      prefersExpanded: false,
      replays: true,
    },
    memory: deviceMemory(device, ort),
    opensFiles: false,
    sessionOptions(onDevice, replayable) {
      const options = {
        // Only the object form's options are read.
        executionProviders: [{ name: "webgpu" as const, device }],
        preferredOutputLocation: Object.fromEntries(onDevice.map((output) => [output, "gpu-buffer" as const])),
        graphOptimizationLevel: "all" as const,
        logSeverityLevel: 3 as const,
      };
      return replayable ? capturing(options) : options;
    },
    externalData: (files) => Promise.resolve(files.map(({ path, data }) => ({ path, data: keepingStreams(data) }))),
    failure: failure.current,
    watch: failure.watch,
    close() {
      device.destroy();
      return Promise.resolve();
    },
  };
  return createOrtRuntime(ort, host);
}

/**
 * The same options with graph capture for the execution provider, which then records runs by number, and without for ONNX Runtime's JavaScript,
 * which would bind the first run's tensors for ever and so allow no prompt beside the steps. The provider is given its options before
 * `freeDimensionOverrides` are asked for; the JavaScript reads its own after the session was made.
 */
function capturing(options: InferenceSession.SessionOptions): InferenceSession.SessionOptions {
  let told = false;
  return Object.defineProperties(options, {
    enableGraphCapture: { get: () => !told, enumerable: true },
    freeDimensionOverrides: {
      get() {
        told = true;
        return undefined;
      },
      enumerable: true,
    },
  });
}

/**
 * The same bytes, for a reader that holds on to no more than the Blob: in Chromium the garbage collector takes a stream that nothing but its pending
 * read refers to, and the read never ends. Measured: one in eight loads of 781 MB stood still.
 */
function keepingStreams(data: Blob | Uint8Array): Blob | Uint8Array {
  if (!(data instanceof Blob)) return data;
  const streams: ReadableStream[] = [];
  const kept = data.slice();
  kept.slice = (...range) => {
    const part = data.slice(...range);
    const stream = part.stream.bind(part);
    part.stream = () => {
      const opened = stream();
      streams.push(opened);
      return opened;
    };
    return part;
  };
  return kept;
}

/**
 * A runtime on WASM; one thread where the page is not cross-origin isolated. ONNX Runtime's code, larger than small models, comes with the first graph
 * that is opened, which a model on this project's own kernels never does.
 */
export function createWasmRuntime(options: WebRuntimeOptions & { readonly threads?: number }): Promise<Runtime> {
  const isolated = typeof crossOriginIsolated === "boolean" && crossOriginIsolated;
  const threads = isolated ? (options.threads ?? threadCount(navigator.hardwareConcurrency)) : 1;
  let sessions: Promise<Ort["InferenceSession"]> | undefined;
  const importBuild = async (): Promise<Ort["InferenceSession"]> => {
    const ort = await import("onnxruntime-web/wasm").catch((error: unknown) => {
      sessions = undefined;
      throw new EngineError("network", "the runtime's code could not be fetched", { cause: error });
    });
    configure(ort, options.runtimeUrl, "ort-wasm-simd-threaded");
    ort.env.wasm.numThreads = threads;
    return ort.InferenceSession;
  };
  // Whichever of its overloads is called.
  type Create = (...given: unknown[]) => Promise<InferenceSession>;
  const create: Create = async (...given) => {
    const factory = await (sessions ??= importBuild());
    return (factory.create as Create)(...given);
  };
  const lazily: Ort = { Tensor, InferenceSession: { create } };
  const runtime = createOrtRuntime(lazily, {
    traits: {
      device: "wasm",
      adapter: "",
      software: false,
      threads,
      cacheStyle: "growing",
      prefersExpanded: true,
      kernel: { helpers: webKernelHelpers(threads - 1) },
    },
    loaded: () => sessions !== undefined,
    opensFiles: false,
    sessionOptions: () => ({ executionProviders: ["wasm"], graphOptimizationLevel: "all", logSeverityLevel: 3 }),
    externalData: (files) => Promise.resolve(files.map(({ path, data }) => ({ path, data }))),
    failure: () => undefined,
    watch: () => () => undefined,
    close: () => Promise.resolve(),
  });
  return Promise.resolve(runtime);
}

/** Logical cores are two per core on most large machines, and a second thread per core only waits. */
function threadCount(logicalCores: number): number {
  return logicalCores <= 4 ? Math.max(1, logicalCores) : Math.min(8, Math.ceil(logicalCores / 2));
}

type OrtModule = Ort & { readonly env: Env };

async function importWebGpuBuild(): Promise<{ ort: OrtModule; build: string }> {
  // JSPI's build is smaller and reads external data tensor by tensor from a Blob.
  if ("Suspending" in WebAssembly) {
    return { ort: await import("onnxruntime-web/jspi"), build: "ort-wasm-simd-threaded.jspi" };
  }
  return { ort: await import("onnxruntime-web/webgpu"), build: "ort-wasm-simd-threaded.asyncify" };
}

function configure(ort: OrtModule, runtimeUrl: string, build: string): void {
  ort.env.logLevel = "error";
  ort.env.wasm.wasmPaths = { mjs: `${runtimeUrl}${build}.mjs`, wasm: `${runtimeUrl}${build}.wasm` };
}

/** `subgroups` is left out on software adapters: the runtime's kernels compute wrong attention with it there. */
function deviceFeatures(adapter: GPUAdapter, software: boolean): GPUFeatureName[] {
  const wanted: GPUFeatureName[] = software ? ["shader-f16"] : ["shader-f16", "subgroups"];
  return wanted.filter((feature) => adapter.features.has(feature));
}

function deviceLimits(adapter: GPUAdapter): Record<string, number> {
  const { limits } = adapter;
  return {
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
    maxComputeWorkgroupSizeZ: limits.maxComputeWorkgroupSizeZ,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
  };
}

/** Remembers why the device can't be used any more, and tells whoever waits for it. */
function watchDevice(device: GPUDevice): Pick<OrtHost, "watch"> & { readonly current: OrtHost["failure"] } {
  let failure: EngineError | undefined;
  const waiting = new Set<(error: EngineError) => void>();
  const fail = (error: EngineError): void => {
    failure ??= error;
    for (const reject of waiting) reject(failure);
    waiting.clear();
  };
  void device.lost.then(({ reason, message }) => {
    fail(new EngineError("device-lost", `the GPU device is gone (${reason}): ${message}`));
  });
  device.addEventListener("uncapturederror", (event) => {
    if (event.error instanceof GPUOutOfMemoryError) {
      fail(new EngineError("out-of-memory", `the GPU is out of memory: ${event.error.message}`));
    }
  });
  return {
    current: () => failure,
    watch(reject) {
      waiting.add(reject);
      return () => waiting.delete(reject);
    },
  };
}

/** WebGPU's flags, which the type library does not declare. */
const bufferUsage = { mapRead: 0x01, copySource: 0x04, copyTarget: 0x08, storage: 0x80 };

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

function deviceMemory(device: GPUDevice, { Tensor }: Ort): DeviceMemory {
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
