import { afterEach, expect, test, vi } from "vitest";
import { createWasmRuntime, createWebGpuRuntime, probeGpu, type GpuProbe } from "./runtime.web.ts";

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
const info = { vendor: "acme", architecture: "one", device: "", description: "", isFallbackAdapter: false };

/** An adapter that remembers which features were asked of it. */
function adapterWith(offered: readonly string[], words: Partial<typeof info> = {}) {
  const asked: string[][] = [];
  const device = Object.assign(new EventTarget(), {
    lost: new Promise<never>(() => undefined),
    destroyed: 0,
    destroy() {
      device.destroyed++;
    },
  });
  const adapter = {
    info: { ...info, ...words },
    features: new Set(offered),
    limits: { maxBufferSize: 1 << 30 },
    requestDevice({ requiredFeatures }: { requiredFeatures: string[] }) {
      asked.push(requiredFeatures);
      return Promise.resolve(device);
    },
  };
  return { adapter, asked, device };
}

function stubGpu(requestAdapter: () => Promise<unknown>): void {
  vi.stubGlobal("navigator", { gpu: { requestAdapter }, hardwareConcurrency: 4 });
}

async function probed(adapter: unknown): Promise<Extract<GpuProbe, { kind: "adapter" }>> {
  stubGpu(() => Promise.resolve(adapter));
  const probe = await probeGpu();
  if (probe.kind !== "adapter") throw new Error("no adapter");
  return probe;
}

test("a browser without WebGPU is told apart from one that finds no adapter", async () => {
  vi.stubGlobal("navigator", {});
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-webgpu" });
  vi.stubGlobal("navigator", { gpu: undefined });
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-webgpu" });
  stubGpu(() => Promise.resolve(null));
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-adapter" });
});

test("a driver that throws has no adapter", async () => {
  stubGpu(() => Promise.reject(new Error("driver")));
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-adapter" });
  stubGpu(() => {
    throw new TypeError("driver");
  });
  expect(await probeGpu()).toEqual({ kind: "none", reason: "no-adapter" });
});

test("an adapter is named by its description, or by its vendor and architecture", async () => {
  expect(await probed(adapterWith([]).adapter)).toMatchObject({ name: "acme one", software: false });
  const described = adapterWith([], { description: "Acme One 4000" }).adapter;
  expect((await probed(described)).name).toBe("Acme One 4000");
});

test.each([
  { isFallbackAdapter: true },
  { architecture: "swiftshader" },
  { description: "llvmpipe (LLVM 15.0.7, 256 bits)" },
  { description: "Microsoft Basic Render Driver" },
  { device: "WARP" },
])("a software adapter is told by %o", async (words) => {
  expect((await probed(adapterWith([], words).adapter)).software).toBe(true);
});

test("a name that only contains a software adapter's letters is hardware", async () => {
  expect((await probed(adapterWith([], { description: "Warpcore 9" }).adapter)).software).toBe(false);
});

test("subgroups are used on hardware and left out on a software adapter", async () => {
  const offered = ["shader-f16", "subgroups", "timestamp-query"];
  const hardware = adapterWith(offered);
  await createWebGpuRuntime(await probed(hardware.adapter), { runtimeUrl });
  expect(hardware.asked).toEqual([["shader-f16", "subgroups"]]);
  const software = adapterWith(offered, { architecture: "swiftshader" });
  await createWebGpuRuntime(await probed(software.adapter), { runtimeUrl });
  expect(software.asked).toEqual([["shader-f16"]]);
});

test("a feature that the adapter does not offer is not asked for", async () => {
  const bare = adapterWith([]);
  await createWebGpuRuntime(await probed(bare.adapter), { runtimeUrl });
  expect(bare.asked).toEqual([[]]);
});

test("an adapter that gives no device is no device", async () => {
  const probe = await probed({ ...adapterWith([]).adapter, requestDevice: () => Promise.reject(new Error("lost")) });
  await expect(createWebGpuRuntime(probe, { runtimeUrl })).rejects.toMatchObject({ code: "no-device" });
});

test.each([
  ["with WebAssembly.Suspending", true, "jspi", "ort-wasm-simd-threaded.jspi"],
  ["without it", false, "webgpu", "ort-wasm-simd-threaded.asyncify"],
] as const)("WebGPU %s takes its own build, from the given folder", async (_, suspending, build, file) => {
  vi.stubGlobal("WebAssembly", suspending ? { Suspending: vi.fn() } : {});
  const { wasm } = builds[build].env;
  delete wasm["wasmPaths"];
  await createWebGpuRuntime(await probed(adapterWith([]).adapter), { runtimeUrl });
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
