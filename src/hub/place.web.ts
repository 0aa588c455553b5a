// The library in a browser's worker: its files from the package at hand, its runtime from this app's own origin, nothing from anywhere
// else. Knows no model.
import { env } from "@huggingface/transformers";
import { EngineError } from "#engine/errors.ts";
import type { HubAdapters, HubDevice } from "./host.ts";

/** Any name that is one to the library. */
const id = "stored/package";
const build = "ort-wasm-simd-threaded.asyncify";

/** Hands the library the package's files, whatever it asks for; what the package lacks is told not to be there. */
export const place: HubAdapters["place"] = (files, runtimeUrl, { threads }) => {
  const at = (name: string): Blob | undefined => {
    const found = name.indexOf(`${id}/`);
    return found < 0 ? undefined : files.get(name.slice(found + id.length + 1));
  };
  env.allowLocalModels = false;
  env.remotePathTemplate = "{model}/";
  env.useBrowserCache = false;
  env.useCustomCache = true;
  env.customCache = {
    match: (name) => {
      const blob = at(name);
      return Promise.resolve(blob && new Response(blob, { headers: { "content-length": String(blob.size) } }));
    },
    put: () => Promise.resolve(),
  };
  env.fetch = () => Promise.resolve(new Response(null, { status: 404 }));
  // It would be imported from a blob: address, which the page's policy forbids.
  env.useWasmCache = false;
  const { wasm } = env.backends.onnx;
  if (!wasm) throw new EngineError("internal", "the library has no WASM backend");
  wasm.wasmPaths = { mjs: `${runtimeUrl}${build}.mjs`, wasm: `${runtimeUrl}${build}.wasm` };
  wasm.numThreads = threads;
  wasm.proxy = false;
  return Promise.resolve(id);
};

/** WebGPU where a hardware adapter is (or where it is forced), else WASM; files in 16 bits need a GPU that computes in them. */
export async function chooseDevice(wanted: "auto" | "webgpu" | "wasm", needsF16: boolean): Promise<HubDevice> {
  const isolated = typeof crossOriginIsolated === "boolean" && crossOriginIsolated;
  const cores = navigator.hardwareConcurrency;
  const threads = isolated ? (cores <= 4 ? Math.max(1, cores) : Math.min(8, Math.ceil(cores / 2))) : 1;
  const onWasm = (notice: HubDevice["notices"][number] | undefined): HubDevice => {
    if (needsF16) throw new EngineError("no-device", "these files are 16 bits wide, which needs a GPU with shader-f16");
    const notices = [...(notice === undefined ? [] : [notice]), ...(isolated ? [] : (["single-thread"] as const))];
    return { device: "wasm", adapter: "", threads, notices };
  };
  if (wanted === "wasm") return onWasm(undefined);
  const adapter = "gpu" in navigator ? await navigator.gpu.requestAdapter().catch(() => null) : null;
  if (adapter === null) {
    if (wanted === "webgpu") throw new EngineError("no-device", "WebGPU was asked for, and there is no adapter");
    return onWasm("gpu" in navigator ? "no-adapter" : "no-webgpu");
  }
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const name = description === "" ? [vendor, architecture].filter((word) => word !== "").join(" ") : description;
  const software = isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${architecture} ${name}`);
  if (software && wanted === "auto") return onWasm("software-adapter");
  const f16 = adapter.features.has("shader-f16");
  if (needsF16 && !f16) throw new EngineError("no-device", "these files need a GPU with shader-f16");
  if (!software) return { device: "webgpu", adapter: name, threads: 1, notices: [] };
  // The runtime's kernels compute wrong attention with subgroups on software adapters.
  const { maxBufferSize, maxStorageBufferBindingSize, maxComputeInvocationsPerWorkgroup } = adapter.limits;
  const gpuDevice = await adapter.requestDevice({
    requiredFeatures: f16 ? ["shader-f16"] : [],
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxComputeInvocationsPerWorkgroup },
  });
  return { device: "webgpu", gpuDevice, adapter: name, threads: 1, notices: [] };
}
