// What this browser tells of the device, for the question whether a package fits.
import type { DeviceFacts } from "#weights/fit.ts";
import { roomLeft } from "#weights/store/storage.web.ts";

const gibibyte = 2 ** 30;

/** Unknown parts are absent; a software adapter counts as none. */
export async function deviceFacts(): Promise<DeviceFacts> {
  const adapter = "gpu" in navigator ? await navigator.gpu.requestAdapter().catch(() => null) : null;
  const memory: unknown = Reflect.get(navigator, "deviceMemory");
  return {
    ...(adapter === null || adapter.info.isFallbackAdapter
      ? {}
      : { gpu: { maxBufferBytes: adapter.limits.maxBufferSize, shaderF16: adapter.features.has("shader-f16") } }),
    memoryBytes: typeof memory === "number" ? memory * gibibyte : undefined,
    roomBytes: await roomLeft(),
  };
}
