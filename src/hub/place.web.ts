// The library in a browser's worker: its files from the package at hand, its runtime from this app's own origin, nothing from anywhere
// else. Knows no model.
import { env } from "@huggingface/transformers";
import { EngineError } from "#engine/errors.ts";
import { probeGpu, requestGpuDevice } from "#engine/runtime/gpu.web.ts";
import { isIsolated, wasmThreads } from "#engine/runtime/threads.web.ts";
import type { DeviceNotice, LoadRequest } from "#worker/api.ts";
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
  // A cached WASM module is imported from a blob: address, which the page's policy forbids.
  env.useWasmCache = false;
  const { wasm } = env.backends.onnx;
  if (!wasm) throw new EngineError("internal", "the library has no WASM backend");
  wasm.wasmPaths = { mjs: `${runtimeUrl}${build}.mjs`, wasm: `${runtimeUrl}${build}.wasm` };
  wasm.numThreads = threads;
  wasm.proxy = false;
  return Promise.resolve(id);
};

/** WebGPU where a hardware adapter is (or where it is asked for), else WASM; files in 16 bits need a GPU that computes in them. */
export async function chooseDevice(wanted: LoadRequest["device"], needsF16: boolean): Promise<HubDevice> {
  const onWasm = (notice: DeviceNotice | undefined): HubDevice => {
    if (needsF16) throw new EngineError("no-device", "these files are 16 bits wide, which needs a GPU with shader-f16");
    const notices: DeviceNotice[] = notice === undefined ? [] : [notice];
    if (!isIsolated()) notices.push("single-thread");
    return { device: "wasm", adapter: "", threads: wasmThreads(), notices };
  };
  if (wanted === "wasm") return onWasm(undefined);
  const gpu = await probeGpu();
  if (gpu.kind === "none") {
    if (wanted === "webgpu") throw new EngineError("no-device", "WebGPU was asked for, and there is no adapter");
    return onWasm(gpu.reason);
  }
  if (gpu.software && wanted === "auto") return onWasm("software-adapter");
  if (needsF16 && !gpu.adapter.features.has("shader-f16"))
    throw new EngineError("no-device", "these files need a GPU with shader-f16");
  const chosen = { device: "webgpu", adapter: gpu.name, threads: 1, notices: [] } as const;
  // On hardware ONNX Runtime makes a device of its own, but on a software adapter that one has subgroups, and wrong attention with them.
  return gpu.software ? { ...chosen, gpuDevice: await requestGpuDevice(gpu) } : chosen;
}
