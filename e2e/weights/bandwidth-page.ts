// For tests: the measurement of the graphics device's bandwidth, on whatever adapter there is.
import { probeGpu, requestGpuDevice } from "#engine/runtime/gpu.web.ts";
import { measureGpu } from "#worker/weights/weights-bandwidth.web.ts";

const gpu = await probeGpu();
document.body.textContent = gpu.kind === "none" ? "none" : String(await measureGpu(await requestGpuDevice(gpu)));
