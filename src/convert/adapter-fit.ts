// A fingerprint of a decoder's weights, by which an adapter recognizes the base it was trained on. Knows tensors, no graph.
import type { TextConfig } from "#convert/config/text-config.ts";
import type { LlavaTensors } from "#convert/checkpoint/llava-tensors.ts";
import { decoderSites } from "#convert/onnx/decoder.ts";

/**
 * SHA-256, in hex, over the sizes of the decoder and one row of every matrix that an adapter may change. Another model differs in all of
 * them, and reading everything would cost as much as converting it; the same weights in a wider type have the same.
 */
export async function decoderFingerprint(config: TextConfig, tensors: LlavaTensors): Promise<string> {
  const sites = decoderSites(config);
  const parts: Uint8Array<ArrayBuffer>[] = [new TextEncoder().encode(JSON.stringify([config.layers, sites]))];
  for (let layer = 0; layer < config.layers; layer++) {
    for (const { inputs, parts: matrices } of sites) {
      for (const { of, outputs } of matrices) {
        const matrix = tensors.matrix("text", `layers.${layer}.${of}.weight`, outputs, inputs);
        const row = await matrix.readRows(Math.floor(outputs / 2), 1);
        parts.push(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
      }
    }
  }
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
