// Judges whether a device can hold and run a package, and gives the reasons. Pure; the facts of the device are handed in.
import type { HubPrecision } from "#weights/download/hub-plan.ts";
import { slowTokensPerSecond } from "./decode-speed.ts";
import { isAdapterManifest, isHubManifest, packageBytes, type HubDtype, type PackageManifest } from "./manifest.ts";

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

/** The facts of a package that decide whether it fits. */
export interface PackageFacts {
  readonly bytes: number;
  /** Bytes of the largest weight that is one GPU buffer, as far as it is known. */
  readonly largestBytes: number;
  readonly needsF16: boolean;
}

/** The facts of a package. Its largest weight is the embedding table. */
export function packageFacts(manifest: PackageManifest): PackageFacts {
  if (isHubManifest(manifest)) return hubFacts({ files: manifest.files, dtypes: manifest.model.dtypes });
  const bytes = packageBytes(manifest);
  if (isAdapterManifest(manifest)) return { bytes, needsF16: false, largestBytes: 0 };
  const { vision, embed, decoder } = manifest.graphs;
  const needsF16 = [vision, embed, decoder].some(({ bits }) => bits === 16);
  return { bytes, needsF16, largestBytes: largestFile(manifest.files, (path) => embed.data.includes(path)) };
}

/** The facts of a hub's files, whether they are only planned or in a package. */
export function hubFacts({ files, dtypes }: HubFiles): PackageFacts {
  return {
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    needsF16: Object.values(dtypes).some((dtype) => dtype.endsWith("16")),
    largestBytes: largestFile(files, (path) => path.includes("embed_tokens")),
  };
}

interface HubFiles {
  readonly files: readonly SizedFile[];
  /** By part of the model. */
  readonly dtypes: Readonly<Record<string, HubDtype>>;
}

interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

/** Bytes of the largest of the files; 0 when there is none. */
function largestFile(files: readonly SizedFile[], isCounted: (path: string) => boolean): number {
  return Math.max(0, ...files.filter(({ path }) => isCounted(path)).map((file) => file.bytes));
}

/** Decides which of a hub's files are chosen for the device. */
export function hubPrecision({ gpu }: DeviceFacts): HubPrecision {
  return gpu === undefined ? "cpu" : gpu.shaderF16 ? "gpu-f16" : "gpu-f32";
}

/** The verdict with an estimated speed taken into account. */
export function withSpeed({ verdict, reasons }: Fit, tokensPerSecond: number | undefined): Fit {
  if (tokensPerSecond === undefined || tokensPerSecond >= slowTokensPerSecond) return { verdict, reasons };
  const others = reasons.filter((reason) => reason !== "slow-without-gpu");
  return { verdict: verdict === "fits" ? "tight" : verdict, reasons: [...others, "slow"] };
}

/** `missingBytes` are the bytes that are not stored yet; default all. */
export function judgeFit(
  { bytes, largestBytes, needsF16 }: PackageFacts,
  device: DeviceFacts,
  missingBytes = bytes,
): Fit {
  const { gpu, memoryBytes, roomBytes } = device;
  const needed = bytes * memoryPerWeight;
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
