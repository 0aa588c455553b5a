// What WebGPU offers in this browser, judged in one place for all who ask: whether there is an adapter, whether it is hardware, and a device
// with the features and limits that ONNX Runtime's kernels want. Knows no runtime and no model.
import { EngineError } from "#engine/errors.ts";

/** An adapter and what is known of it. */
export interface GpuAdapter {
  readonly kind: "adapter";
  readonly adapter: GPUAdapter;
  /** Its description, or vendor and architecture, or "" where the browser does not tell. */
  readonly name: string;
  /** It computes on the CPU, where WASM is faster. */
  readonly software: boolean;
}

/** What WebGPU offers here. */
export type GpuProbe = { readonly kind: "none"; readonly reason: "no-webgpu" | "no-adapter" } | GpuAdapter;

/** Names of adapters that compute on the CPU; browsers mark only some of them as fallback adapters. */
const softwareAdapters = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** Asks for the fastest adapter. Never rejects. */
export async function probeGpu(): Promise<GpuProbe> {
  // Absent in browsers without WebGPU and on insecure origins, whatever the types say.
  const gpu = "gpu" in navigator ? navigator.gpu : undefined;
  if (!gpu) return { kind: "none", reason: "no-webgpu" };
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  } catch {
    adapter = null; // Some drivers throw where others answer null: no adapter either way.
  }
  if (!adapter) return { kind: "none", reason: "no-adapter" };
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const words = [vendor, architecture, device, description].join(" ");
  return {
    kind: "adapter",
    adapter,
    name: description !== "" ? description : [vendor, architecture].filter((word) => word !== "").join(" "),
    software: isFallbackAdapter || softwareAdapters.test(words),
  };
}

/**
 * A device of the adapter, with all of its limits that matter and those of our features that it has. An adapter gives one device. Rejects with
 * "no-device".
 */
export async function requestGpuDevice({ adapter, software }: GpuAdapter): Promise<GPUDevice> {
  // ONNX Runtime's attention kernels compute wrong numbers with subgroups on software adapters.
  const wanted: GPUFeatureName[] = software ? ["shader-f16"] : ["shader-f16", "subgroups"];
  try {
    return await adapter.requestDevice({
      requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
      requiredLimits: allLimits(adapter),
    });
  } catch (error) {
    throw new EngineError("no-device", "the adapter gave no device", { cause: error });
  }
}

function allLimits({ limits }: GPUAdapter): Record<string, number> {
  return {
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
    maxComputeWorkgroupSizeZ: limits.maxComputeWorkgroupSizeZ,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
  };
}

/** WebGPU's buffer usage flags, which the type library does not declare as values. */
export const bufferUsage = { mapRead: 0x01, copySource: 0x04, copyTarget: 0x08, uniform: 0x40, storage: 0x80 };
