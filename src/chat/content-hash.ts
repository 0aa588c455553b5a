// Names for contents: the same bytes have the same name.

/** SHA-256 of the bytes, in hex; undefined on plain HTTP from another machine, where browsers do not hash. */
export async function contentHash(blob: Blob): Promise<string | undefined> {
  const subtle: SubtleCrypto | undefined = "subtle" in crypto ? crypto.subtle : undefined;
  if (subtle === undefined) return undefined;
  const digest = new Uint8Array(await subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
