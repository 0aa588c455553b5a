import { afterEach, expect, test, vi } from "vitest";
import type { GpuAdapter } from "./gpu.web.ts";
import { createWasmRuntime, createWebGpuRuntime } from "./runtime.web.ts";

/** The runtime's three builds, each recognised by the settings it was given; sessions do nothing here. */
const builds = vi.hoisted(() => {
  const build = () => ({
    env: { wasm: {} as Record<string, unknown> },
    Tensor: undefined,
    InferenceSession: { create: () => Promise.resolve({ inputNames: [], outputNames: [] }) },
  });
  return { jspi: build(), webgpu: build(), wasm: build(), imported: [] as string[] };
});
vi.mock("onnxruntime-web/jspi", () => {
  builds.imported.push("jspi");
  return builds.jspi;
});
vi.mock("onnxruntime-web/webgpu", () => {
  builds.imported.push("webgpu");
  return builds.webgpu;
});
vi.mock("onnxruntime-web/wasm", () => {
  builds.imported.push("wasm");
  return builds.wasm;
});

afterEach(() => vi.unstubAllGlobals());

const runtimeUrl = "https://example.test/ort/";
/** An adapter that gives a device. */
function adapterWithDevice(): GpuAdapter {
  const device = Object.assign(new EventTarget(), {
    lost: new Promise<never>(() => undefined),
    destroy: () => undefined,
  });
  const adapter: Partial<GPUAdapter> = {
    features: new Set<GPUFeatureName>(),
    limits: { maxBufferSize: 1 << 30 } as GPUSupportedLimits,
    requestDevice: () => Promise.resolve(device as unknown as GPUDevice),
  };
  return { kind: "adapter", adapter: adapter as GPUAdapter, name: "acme one", software: false };
}

test.each([
  ["with WebAssembly.Suspending", true, "jspi", "ort-wasm-simd-threaded.jspi"],
  ["without it", false, "webgpu", "ort-wasm-simd-threaded.asyncify"],
] as const)("WebGPU %s takes its own build, from the given folder", async (_, suspending, build, file) => {
  vi.stubGlobal("WebAssembly", suspending ? { Suspending: vi.fn() } : {});
  const { wasm } = builds[build].env;
  delete wasm["wasmPaths"];
  await createWebGpuRuntime(adapterWithDevice(), { runtimeUrl });
  expect(wasm["wasmPaths"]).toEqual({ mjs: `${runtimeUrl}${file}.mjs`, wasm: `${runtimeUrl}${file}.wasm` });
  expect(wasm["numThreads"]).toBe(1);
  expect(builds.imported).toContain(build);
  expect(builds.imported).not.toContain("wasm");
});

test("without isolation WASM runs on one thread, with it on the cores there are", async () => {
  const threadsOf = async (threads?: number): Promise<unknown> => {
    const runtime = await createWasmRuntime({ runtimeUrl, ...(threads === undefined ? {} : { threads }) });
    await runtime.createSession({ graph: new Blob(), data: [] }, []);
    expect(builds.wasm.env.wasm["numThreads"]).toBe(runtime.threads);
    return runtime.threads;
  };
  vi.stubGlobal("navigator", { hardwareConcurrency: 4 });
  vi.stubGlobal("crossOriginIsolated", false);
  expect(await threadsOf(4)).toBe(1);
  vi.stubGlobal("crossOriginIsolated", true);
  expect(await threadsOf()).toBe(4);
  expect(await threadsOf(2)).toBe(2);
});

test("on WASM the runtime's code comes with the first graph", async () => {
  vi.stubGlobal("navigator", { hardwareConcurrency: 4 });
  const runtime = await createWasmRuntime({ runtimeUrl });
  const tensor = runtime.tensor("float32", Float32Array.of(1, 2), [2]);
  expect(await runtime.read(tensor)).toEqual(Float32Array.of(1, 2));
  tensor.dispose();
  expect(runtime.loaded).toBe(false);
  await runtime.createSession({ graph: new Blob(), data: [] }, []);
  expect(runtime.loaded).toBe(true);
  expect(builds.imported).toContain("wasm");
});
