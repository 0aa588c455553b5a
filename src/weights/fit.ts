// Whether a device can hold and run a package, and why not. Pure; knows no browser: what the device offers is handed in.
import { packageBytes, type Manifest } from "./manifest.ts";

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
  | "slow-without-gpu"; // large, and only the processor to compute

export interface Fit {
  readonly verdict: "fits" | "tight" | "wont-fit";
  readonly reasons: readonly FitReason[];
}

/** One graph's data is bound as one buffer at most; the browser and the system need the rest of the memory. */
const usableMemory = 0.75;
/** Activations and the KV cache beside the weights. */
const besideWeights = 1.25;
const largeWithoutGpu = 500e6;

/** `missingBytes` are those that have yet to be stored; default all. */
export function judgeFit(manifest: Manifest, device: DeviceFacts, missingBytes = packageBytes(manifest)): Fit {
  const { gpu, memoryBytes, roomBytes } = device;
  const graphs = [manifest.graphs.vision, manifest.graphs.embed, manifest.graphs.decoder];
  const bytes = packageBytes(manifest);
  const needed = bytes * besideWeights;
  const embeds = new Set(manifest.graphs.embed.data);
  const largest = Math.max(0, ...manifest.files.filter(({ path }) => embeds.has(path)).map((file) => file.bytes));
  const wont: FitReason[] = [];
  const tight: FitReason[] = [];
  if (gpu && largest > gpu.maxBufferBytes) wont.push("buffer-too-small");
  if (gpu && !gpu.shaderF16 && graphs.some(({ bits }) => bits === 16)) wont.push("no-shader-f16");
  if (memoryBytes !== undefined && needed > memoryBytes) wont.push("memory-too-small");
  if (roomBytes !== undefined && missingBytes > roomBytes) tight.push("no-room");
  if (memoryBytes !== undefined && needed <= memoryBytes && needed > memoryBytes * usableMemory)
    tight.push("memory-tight");
  if (!gpu && bytes > largeWithoutGpu) tight.push("slow-without-gpu");
  const verdict = wont.length > 0 ? "wont-fit" : tight.length > 0 ? "tight" : "fits";
  return { verdict, reasons: [...wont, ...tight] };
}
