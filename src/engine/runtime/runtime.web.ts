// The runtime contract on onnxruntime-web, in a worker: WebGPU on a device of our own, or WASM.
// The build is picked by a dynamic import, so that a page fetches one of them; its wasm comes from the given folder on our own origin.
import { Tensor, type Env, type InferenceSession } from "onnxruntime-common";
import { EngineError } from "#engine/errors.ts";
import { webKernelHelpers } from "#engine/kernel/helpers.web.ts";
import { deviceMemory } from "./gpu-memory.web.ts";
import { requestGpuDevice, type GpuAdapter } from "./gpu.web.ts";
import { createOrtRuntime, type Ort, type OrtHost } from "./runtime.ort.ts";
import type { Runtime } from "./runtime.ts";
import { isIsolated, wasmThreads } from "./threads.web.ts";

export interface WebRuntimeOptions {
  /** Absolute URL of the folder with the runtime's wasm files, ending with a slash. */
  readonly runtimeUrl: string;
}

/** A runtime on the adapter of `probeGpu`, which is used up by it. Rejects with "no-device" when it gives no device. */
export async function createWebGpuRuntime(gpu: GpuAdapter, options: WebRuntimeOptions): Promise<Runtime> {
  const { name, software } = gpu;
  const device = await requestGpuDevice(gpu);
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
      return replayable ? hideCapture(options) : options;
    },
    externalData: (files) => Promise.resolve(files.map(({ path, data }) => ({ path, data: keepStreamsAlive(data) }))),
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
 * Session options that show graph capture to the execution provider and hide it from ONNX Runtime's JavaScript. The provider needs it to
 * capture steps under a number and replay them. The JavaScript would bind the tensors of the first run for ever, so that no prompt could run
 * on the same session. The provider is given its options before `freeDimensionOverrides` is read; the JavaScript reads its own after the
 * session was made. A browser test holds this to the pinned version.
 */
function hideCapture(options: InferenceSession.SessionOptions): InferenceSession.SessionOptions {
  let providerHasRead = false;
  return Object.defineProperties(options, {
    enableGraphCapture: { get: () => !providerHasRead, enumerable: true },
    freeDimensionOverrides: {
      get() {
        providerHasRead = true;
        return undefined;
      },
      enumerable: true,
    },
  });
}

/**
 * The same bytes, with a Blob that holds on to the streams it opens. A reader may keep nothing but the Blob: Chromium then collects a stream
 * whose only reference is its own pending read, and the read never ends. (Without this, one in eight loads of 781 MB stood still.)
 */
function keepStreamsAlive(data: Blob | Uint8Array): Blob | Uint8Array {
  if (!(data instanceof Blob)) return data;
  const streams: ReadableStream[] = [];
  const copy = data.slice();
  copy.slice = (...range) => {
    const part = data.slice(...range);
    const stream = part.stream.bind(part);
    part.stream = () => {
      const opened = stream();
      streams.push(opened);
      return opened;
    };
    return part;
  };
  return copy;
}

/**
 * A runtime on WASM, with one thread where the page is not cross-origin isolated. ONNX Runtime's code is larger than a small model, so it is
 * fetched when the first graph is opened; a model that runs on this project's own kernels opens none.
 */
export function createWasmRuntime(options: WebRuntimeOptions & { readonly threads?: number }): Promise<Runtime> {
  const threads = isIsolated() ? (options.threads ?? wasmThreads()) : 1;
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
  // Stands in for every overload of the factory.
  type Create = (...given: unknown[]) => Promise<InferenceSession>;
  const create: Create = async (...given) => {
    const factory = await (sessions ??= importBuild());
    return (factory.create as Create)(...given);
  };
  const lazyOrt: Ort = { Tensor, InferenceSession: { create } };
  const runtime = createOrtRuntime(lazyOrt, {
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

/** Remembers why the device can't be used any more, and rejects the calls that wait for it. */
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
