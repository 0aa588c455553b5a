// How fast a device would answer with a package, before any of it is here: each token reads every weight of the decoder once, so the
// device's memory bandwidth bounds the pace. Pure; the bandwidth is measured elsewhere.
import { isAdapterManifest, isHubManifest, type PackageManifest } from "./manifest.ts";

/** What the one-second measurement found. */
export interface Bandwidth {
  /** Bytes that the device reads and adds up in a second. */
  readonly bytesPerSecond: number;
  readonly onGpu: boolean;
}

/** What a decode step reaches of a plain sum's bandwidth. */
const share = 0.5;
/** On the processor 4-bit weights are computed with as 32-bit numbers. */
const expansion = 8;
/** Below this an answer is no fun to wait for. */
export const slowTokensPerSecond = 2;

/** Bytes of weights that each token reads. */
export function decoderBytes(files: readonly { readonly path: string; readonly bytes: number }[]): number {
  return files
    .filter(({ path }) => path.includes("decoder") && !path.includes("_f32"))
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Whether the decoder's weights have 4 bits. */
export function isFourBit(manifest: PackageManifest): boolean {
  if (isAdapterManifest(manifest)) return false;
  if (!isHubManifest(manifest)) return manifest.graphs.decoder.bits === 4;
  return manifest.model.dtypes["decoder_model_merged"]?.startsWith("q4") ?? false;
}

/** Tokens per second, roughly; undefined where nothing is known of the decoder. */
export function estimatePace(
  decoder: { readonly bytes: number; readonly fourBit: boolean },
  { bytesPerSecond, onGpu }: Bandwidth,
): number | undefined {
  if (decoder.bytes === 0) return undefined;
  const read = decoder.bytes * (!onGpu && decoder.fourBit ? expansion : 1);
  return (share * bytesPerSecond) / read;
}
