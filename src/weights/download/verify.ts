// SHA-256 of bytes. Knows no manifest.
import { EngineError } from "#engine/errors.ts";

/** Lower-case hex digest; a whole shard at a time, computed off this thread by the host. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // Pages that come over plain HTTP from another machine have no WebCrypto.
  if (!("subtle" in crypto)) {
    throw new EngineError("insecure", "weights can't be verified here: the page needs HTTPS or localhost");
  }
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether the Blob has exactly these bytes; false too when the host can't read it any more. */
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
