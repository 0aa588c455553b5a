// What this browser tells of the device, for the question whether a package fits.
import { probeGpu } from "#engine/runtime/gpu.web.ts";
import type { DeviceFacts } from "#weights/fit.ts";
import { roomLeft } from "#weights/store/storage.web.ts";

const gibibyte = 2 ** 30;

/** Unknown parts are absent; a software adapter counts as none, because models do not run on it. */
export async function deviceFacts(): Promise<DeviceFacts> {
  const gpu = await probeGpu();
  const memory: unknown = Reflect.get(navigator, "deviceMemory");
  return {
    ...(gpu.kind === "adapter" && !gpu.software
      ? { gpu: { maxBufferBytes: gpu.adapter.limits.maxBufferSize, shaderF16: gpu.adapter.features.has("shader-f16") } }
      : {}),
    memoryBytes: typeof memory === "number" ? memory * gibibyte : undefined,
    roomBytes: await roomLeft(),
  };
}
