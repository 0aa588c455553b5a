// Whether a device can hold and run a package, and why not. Pure; knows no browser: what the device offers is handed in.
import type { HubPrecision } from "#weights/download/hub.ts";
import { slowTokensPerSecond } from "./pace.ts";
import { isAdapterManifest, isHubManifest, packageBytes, type PackageManifest } from "./manifest.ts";

/** What is known of a device; absent parts are unknown and count neither way. */
export interface DeviceFacts {
  /** Absent where there is no hardware adapter: the processor computes then. */
  readonly gpu?: { readonly maxBufferBytes: number; readonly shaderF16: boolean };
  /** Memory of the whole machine, as far as a browser tells: at most 8 GiB (newer ones 32 GiB). */
  readonly memoryBytes?: number | undefined;
  /** Bytes that may still be stored. */
  readonly roomBytes?: number | undefined;
}

/** In the order they are told: first what makes it impossible. */
export type FitReason =
  | "buffer-too-small" // a weight does not fit into one GPU buffer
  | "no-shader-f16" // 16-bit graphs, and a GPU without 16-bit arithmetic
  | "memory-too-small" // more than the machine has
  | "no-room" // it can't be stored: each visit fetches it again
  | "memory-tight" // most of the machine's memory
  | "slow-without-gpu" // large, and only the processor to compute
  | "slow"; // a measurement says that answers would crawl

export interface Fit {
  readonly verdict: "fits" | "tight" | "wont-fit";
  readonly reasons: readonly FitReason[];
}

/** One graph's data is bound as one buffer at most; the browser and the system need the rest of the memory. */
const usableMemory = 0.75;
/** Activations and the KV cache beside the weights. */
const besideWeights = 1.25;
const largeWithoutGpu = 500e6;

/** What of a package counts. */
export interface PackageFacts {
  readonly bytes: number;
  /** Of the largest weight that goes to the GPU in one piece, as far as that is known. */
  readonly largestBytes: number;
  readonly needsF16: boolean;
}

/** An embedding table is one weight, and the largest; of a hub's package its file is. */
export function packageFacts(manifest: PackageManifest): PackageFacts {
  const bytes = packageBytes(manifest);
  const largest = (isEmbedding: (path: string) => boolean): number =>
    Math.max(0, ...manifest.files.filter(({ path }) => isEmbedding(path)).map((file) => file.bytes));
  if (isHubManifest(manifest)) {
    const needsF16 = Object.values(manifest.model.dtypes).some((dtype) => dtype.endsWith("16"));
    return { bytes, needsF16, largestBytes: largest((path) => path.includes("embed_tokens")) };
  }
  if (isAdapterManifest(manifest)) return { bytes, needsF16: false, largestBytes: 0 };
  const { vision, embed, decoder } = manifest.graphs;
  const needsF16 = [vision, embed, decoder].some(({ bits }) => bits === 16);
  return { bytes, needsF16, largestBytes: largest((path) => embed.data.includes(path)) };
}

/** Which of a hub's files the device computes with. */
export function hubPrecision({ gpu }: DeviceFacts): HubPrecision {
  return gpu === undefined ? "cpu" : gpu.shaderF16 ? "gpu-f16" : "gpu-f32";
}

/** The same verdict, told that answers would come so slowly. */
export function withPace({ verdict, reasons }: Fit, tokensPerSecond: number | undefined): Fit {
  if (tokensPerSecond === undefined || tokensPerSecond >= slowTokensPerSecond) return { verdict, reasons };
  const told = reasons.filter((reason) => reason !== "slow-without-gpu");
  return { verdict: verdict === "fits" ? "tight" : verdict, reasons: [...told, "slow"] };
}

/** `missingBytes` are those that have yet to be stored; default all. */
export function judgeFit(
  { bytes, largestBytes, needsF16 }: PackageFacts,
  device: DeviceFacts,
  missingBytes = bytes,
): Fit {
  const { gpu, memoryBytes, roomBytes } = device;
  const needed = bytes * besideWeights;
  const wont: FitReason[] = [];
  const tight: FitReason[] = [];
  if (gpu && largestBytes > gpu.maxBufferBytes) wont.push("buffer-too-small");
  if (gpu && !gpu.shaderF16 && needsF16) wont.push("no-shader-f16");
  if (memoryBytes !== undefined && needed > memoryBytes) wont.push("memory-too-small");
  if (roomBytes !== undefined && missingBytes > roomBytes) tight.push("no-room");
  if (memoryBytes !== undefined && needed <= memoryBytes && needed > memoryBytes * usableMemory)
    tight.push("memory-tight");
  if (!gpu && bytes > largeWithoutGpu) tight.push("slow-without-gpu");
  const verdict = wont.length > 0 ? "wont-fit" : tight.length > 0 ? "tight" : "fits";
  return { verdict, reasons: [...wont, ...tight] };
}
