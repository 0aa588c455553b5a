// SHA-256 of bytes, and whether a Blob has the bytes of a shard. Knows no manifest and no storage.
import { EngineError } from "#engine/errors.ts";

/** The digest in lower-case hex. Throws EngineError "insecure" where the page has no WebCrypto. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // WebCrypto exists in secure contexts only: HTTPS and localhost.
  if (!("subtle" in crypto)) {
    throw new EngineError("insecure", "weights can't be verified here: the page needs HTTPS or localhost");
  }
  return toHex(await crypto.subtle.digest("SHA-256", bytes));
}

/** Two lower-case digits per byte. */
export function toHex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether the Blob has exactly the shard's bytes; false where the host cannot read it any more. */
export async function blobMatches(
  blob: Blob,
  shard: { readonly bytes: number; readonly sha256: string },
): Promise<boolean> {
  if (blob.size !== shard.bytes) return false;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await blob.arrayBuffer());
  } catch {
    return false; // The file behind the handle is gone or damaged: the same as wrong bytes.
  }
  return (await sha256Hex(bytes)) === shard.sha256;
}
