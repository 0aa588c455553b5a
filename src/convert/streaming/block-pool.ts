// Memory of blocks that is used again: every new block of 8 MiB would make the engine collect all garbage soon, which took as long as hashing.

export interface BlockPool {
  /** Undefined where there is none to be used again. */
  take(bytes: number): Uint8Array<ArrayBuffer> | undefined;
  /** Takes back what nobody reads any more. */
  give(bytes: Uint8Array<ArrayBuffer>): void;
}

/** Only whole blocks are kept; a file's first and last ones are shorter. */
export function createBlockPool(blockBytes: number): BlockPool {
  const free: Uint8Array<ArrayBuffer>[] = [];
  return {
    take: (bytes) => (bytes === blockBytes ? free.pop() : undefined),
    give(bytes) {
      if (bytes.length === blockBytes && bytes.buffer.byteLength === blockBytes) free.push(bytes);
    },
  };
}
