// Stores the bytes of a shard piece by piece while they arrive, so that a closed tab loses little. Knows no network.
import { emptyShard, type PartialShard } from "./download.ts";
import { pieceKey, piecesOf } from "#weights/store/keys.ts";
import { unlessStoreFails, type ShardStore } from "#weights/store/store.ts";

/** Stores the pieces of one shard. A store that fails only costs what could have been resumed. */
export interface PieceWriter {
  /** Stores the bytes that arrived since the last piece, if there are at least `atLeast`; resolves when they are stored. */
  store(partial: PartialShard, atLeast: number): Promise<void>;
  /** Deletes the shard's pieces, because it is stored whole or its bytes are wrong. Resolves with whether there were any. */
  drop(): Promise<boolean>;
}

/** The stored bytes of a shard, from its first byte on; undefined when there are none. */
export async function readPieces(
  store: ShardStore,
  keys: readonly string[],
  shardKey: string,
  shardBytes: number,
): Promise<PartialShard | undefined> {
  const pieces = piecesOf(keys, shardKey);
  let best: PartialShard | undefined;
  // Pieces of different versions of the file are never joined.
  for (const etag of new Set(pieces.map((piece) => piece.etag))) {
    const partial = emptyShard(shardBytes);
    if (etag !== "") partial.etag = etag;
    for (const { key, start } of pieces.filter((piece) => piece.etag === etag)) {
      if (start > partial.received) break;
      try {
        const blob = await store.get(key);
        if (blob === undefined || start + blob.size > shardBytes) break;
        partial.bytes.set(new Uint8Array(await blob.arrayBuffer()), start);
        partial.received = Math.max(partial.received, start + blob.size);
      } catch {
        break; // The piece cannot be read any more: the rest is fetched.
      }
    }
    if (partial.received > (best?.received ?? 0)) best = partial;
  }
  return best;
}

/** Continues after the bytes that `readPieces` returned, or from the first byte. */
export function createPieceWriter(store: ShardStore, shardKey: string, resumed: PartialShard | undefined): PieceWriter {
  let storedBytes = resumed?.received ?? 0;
  let etag = resumed?.etag;
  let lastWrite: Promise<void> = Promise.resolve();
  let failed = false;

  const put = async (partial: PartialShard, atLeast: number): Promise<void> => {
    if (partial.etag !== etag || partial.received < storedBytes) {
      storedBytes = 0; // The file has changed: its bytes arrive from the start.
      etag = partial.etag;
    }
    const end = partial.received;
    if (failed || end === storedBytes || end - storedBytes < atLeast) return;
    const key = pieceKey(shardKey, storedBytes, etag ?? "");
    const write = store.put(key, new Blob([partial.bytes.slice(storedBytes, end)])).then(() => true);
    if (await unlessStoreFails(write, false)) storedBytes = end;
    else failed = true;
  };

  const deletePieces = async (): Promise<boolean> => {
    const keys = piecesOf(await store.keys(), shardKey).map(({ key }) => key);
    if (keys.length > 0) await store.delete(keys);
    return keys.length > 0;
  };

  return {
    store: (partial, atLeast) => (lastWrite = lastWrite.then(() => put(partial, atLeast))),
    async drop() {
      await lastWrite;
      // Pieces that cannot be deleted only take room until the package is complete.
      return unlessStoreFails(deletePieces(), false);
    },
  };
}
