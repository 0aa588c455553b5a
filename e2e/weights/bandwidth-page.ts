// For tests: the measurement of the graphics device's bandwidth, on whatever adapter there is.
import { measureGpu } from "#worker/weights-bandwidth.ts";

const adapter = await navigator.gpu.requestAdapter();
document.body.textContent = adapter === null ? "none" : String(await measureGpu(adapter));
