// Estimates how fast a device decodes with a package that is not downloaded yet: a decode step reads every weight of the decoder once, so
// memory bandwidth bounds the speed. Pure; the bandwidth is measured elsewhere.
import { isAdapterManifest, isHubManifest, type PackageManifest } from "./manifest.ts";

/** The result of a measurement of about one second. */
export interface Bandwidth {
  /** Bytes per second that the device reads and sums. */
  readonly bytesPerSecond: number;
  readonly onGpu: boolean;
}

/** The fraction of a plain sum's bandwidth that a decode step reaches. */
const efficiency = 0.5;
/** On the CPU 4-bit weights are expanded to 32 bits. */
const expansion = 8;

/** Bytes of the decoder's weights, which each decode step reads. */
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

/** A rough estimate; undefined where the decoder's size is unknown. */
export function estimateTokensPerSecond(
  decoder: { readonly bytes: number; readonly fourBit: boolean },
  { bytesPerSecond, onGpu }: Bandwidth,
): number | undefined {
  if (decoder.bytes === 0) return undefined;
  const bytesPerToken = decoder.bytes * (!onGpu && decoder.fourBit ? expansion : 1);
  return (efficiency * bytesPerSecond) / bytesPerToken;
}
