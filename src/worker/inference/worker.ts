// Entry of the inference worker: the host with the browser's adapters, exposed to the page.
import { expose } from "comlink";
import { decodeImage } from "#engine/picture/decode.web.ts";
import { createEngine } from "#engine/engine.ts";
import { probeGpu } from "#engine/runtime/gpu.web.ts";
import { createWasmRuntime, createWebGpuRuntime } from "#engine/runtime/runtime.web.ts";
import { createIdbFeatures } from "#weights/store/features.web.ts";
import { createInferenceHost } from "./engine-host.ts";
import { holdLock } from "#worker/worker-lock.ts";

const features = createIdbFeatures();
expose({
  ...createInferenceHost({ probeGpu, createWebGpuRuntime, createWasmRuntime, createEngine, decodeImage, features }),
  holdLock,
});
