// Blobs as values of IndexedDB, also in private windows of WebKit (Safari), which store ArrayBuffers but refuse Blobs. Knows no database.

/** A Blob's content in a form that every browser stores. */
export interface BlobBytes {
  readonly bytes: ArrayBuffer;
  readonly type: string;
}

/**
 * Whether IndexedDB may have failed because a Blob was in the value. WebKit's request fails with an UnknownError (older versions: a
 * DataCloneError); its transaction has no error yet when that is told, so what idb-keyval rejects with may be null.
 */
export function isBlobRefused(error: unknown): boolean {
  if (error === null || error === undefined) return true;
  return error instanceof DOMException && ["UnknownError", "DataCloneError"].includes(error.name);
}

/** The Blob's bytes, to be stored in its place; they are in memory meanwhile. */
export async function toBlobBytes(blob: Blob): Promise<BlobBytes> {
  return { bytes: await blob.arrayBuffer(), type: blob.type };
}

/** The Blob in a stored value, in either form; undefined when there is none. */
export function fromStoredBlob(value: unknown): Blob | undefined {
  if (value instanceof Blob) return value;
  if (typeof value !== "object" || value === null || !("bytes" in value) || !("type" in value)) return undefined;
  const { bytes, type } = value;
  return bytes instanceof ArrayBuffer && typeof type === "string" ? new Blob([bytes], { type }) : undefined;
}
