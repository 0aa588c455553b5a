// Judges whether a device can hold and run a model, and gives the reasons. Pure arithmetic; the facts of the device and of the model are
// handed in.
import type { HubPrecision } from "#weights/download/hub-plan.ts";

/** What is known of a device; unknown facts are absent and are not held against it. */
export interface DeviceFacts {
  /** Absent where there is no hardware adapter, so that the CPU computes. */
  readonly gpu?: { readonly maxBufferBytes: number; readonly shaderF16: boolean };
  /** Memory of the whole machine; browsers report at most 8 GiB (newer ones 32 GiB). */
  readonly memoryBytes?: number | undefined;
  /** Bytes that may still be stored. */
  readonly roomBytes?: number | undefined;
}

/** In the order in which they are listed: first those that make it impossible. */
type FitReason =
  | "buffer-too-small" // a weight is larger than the largest GPU buffer
  | "no-shader-f16" // 16-bit graphs, and a GPU without 16-bit arithmetic
  | "memory-too-small" // it needs more than the machine's memory
  | "no-room" // it cannot be stored, so each visit downloads it again
  | "memory-tight" // it needs most of the machine's memory
  | "slow-without-gpu" // it is large, and only the CPU computes
  | "slow"; // by a measurement of the device

export interface Fit {
  readonly verdict: "fits" | "tight" | "wont-fit";
  readonly reasons: readonly FitReason[];
}

/** The fraction of the memory that a model may take; the browser and the system need the rest. */
const usableMemory = 0.75;
/** Memory in relation to the weights: activations and the KV cache come on top. */
const memoryPerWeight = 1.25;
/** In bytes. */
const largeWithoutGpu = 500e6;

/** Below this the page warns. */
const slowTokensPerSecond = 2;

/** The facts of a package that decide whether it fits. */
export interface PackageFacts {
  readonly bytes: number;
  /** Bytes of the largest weight that is one GPU buffer, as far as it is known. */
  readonly largestBytes: number;
  readonly needsF16: boolean;
}

/** Decides which of a hub's files are chosen for the device. */
export function hubPrecision({ gpu }: DeviceFacts): HubPrecision {
  return gpu === undefined ? "cpu" : gpu.shaderF16 ? "gpu-f16" : "gpu-f32";
}

/** Bytes of memory that a package of so many bytes takes while it answers. */
export function neededMemory(bytes: number): number {
  return bytes * memoryPerWeight;
}

/** `missingBytes` are the bytes that are not stored yet; default all. */
export function judgeFit(
  { bytes, largestBytes, needsF16 }: PackageFacts,
  device: DeviceFacts,
  missingBytes = bytes,
): Fit {
  const { gpu, memoryBytes, roomBytes } = device;
  const needed = neededMemory(bytes);
  const impossible: FitReason[] = [];
  const tight: FitReason[] = [];
  if (gpu && largestBytes > gpu.maxBufferBytes) impossible.push("buffer-too-small");
  if (gpu && !gpu.shaderF16 && needsF16) impossible.push("no-shader-f16");
  if (memoryBytes !== undefined && needed > memoryBytes) impossible.push("memory-too-small");
  if (roomBytes !== undefined && missingBytes > roomBytes) tight.push("no-room");
  if (memoryBytes !== undefined && needed <= memoryBytes && needed > memoryBytes * usableMemory)
    tight.push("memory-tight");
  if (!gpu && bytes > largeWithoutGpu) tight.push("slow-without-gpu");
  const verdict = impossible.length > 0 ? "wont-fit" : tight.length > 0 ? "tight" : "fits";
  return { verdict, reasons: [...impossible, ...tight] };
}

/** The verdict with an estimated speed taken into account. */
export function withSpeed({ verdict, reasons }: Fit, tokensPerSecond: number | undefined): Fit {
  if (tokensPerSecond === undefined || tokensPerSecond >= slowTokensPerSecond) return { verdict, reasons };
  const others = reasons.filter((reason) => reason !== "slow-without-gpu");
  return { verdict: verdict === "fits" ? "tight" : verdict, reasons: [...others, "slow"] };
}
