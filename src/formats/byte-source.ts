// Bytes by range: what readers of large files ask of their host. Knows no format.

/** Random access to the bytes of one file. */
export interface ByteSource {
  readonly bytes: number;
  /** Exactly `length` bytes from `offset`; throws when the file is shorter. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A Blob or a File; each range is read when it is asked for. */
export function blobSource(blob: Blob): ByteSource {
  return {
    bytes: blob.size,
    async read(offset, length) {
      if (offset + length > blob.size) throw new RangeError(`bytes ${offset}+${length} of ${blob.size}`);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}
