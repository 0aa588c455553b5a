// The bytes of files in their order, with several reads under way at a time, so that neither the server nor the reader waits for the other.
import type { ResidentFile } from "./resident.ts";

/** A block of the stream. */
export interface StreamBlock {
  readonly file: ResidentFile;
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads each file from an offset to its end, `parallel` blocks at a time; `through` is given every read as it begins, in their order. Ends only
 * when no read is under way any more.
 */
export async function* readAhead<Block>(
  files: readonly { readonly file: ResidentFile; readonly from: number }[],
  parallel: number,
  through: (read: Promise<StreamBlock>) => Promise<Block>,
): AsyncGenerator<Block> {
  const underWay: Promise<Block>[] = [];
  const next = blocksOf(files);
  const begin = (): void => {
    const { value } = next.next();
    if (!value) return;
    const read = through(value());
    // A later block may fail while an earlier one is waited for.
    void read.catch(() => undefined);
    underWay.push(read);
  };
  try {
    for (let i = 0; i < parallel; i++) begin();
    for (let first = underWay[0]; first; first = underWay[0]) {
      const block = await first;
      void underWay.shift();
      begin();
      yield block;
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}

function* blocksOf(
  files: readonly { readonly file: ResidentFile; readonly from: number }[],
): Generator<() => Promise<StreamBlock>, undefined> {
  for (const { file, from } of files) {
    for (let offset = from; offset < file.bytes; offset = file.blockEnd(offset)) {
      const at = offset;
      yield async () => ({ file, offset: at, bytes: await file.readBlock(at) });
    }
  }
}
