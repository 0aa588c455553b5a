// What has arrived of a shard that is not whole yet, kept in the store so that a closed tab loses little. Knows no network.
// A piece's key is its shard's key, where it starts, and the server's tag of the file it comes from: `<shard>~<start>~<etag>`.
import { errorCodeOf } from "#engine/errors.ts";
import { emptyShard, type PartialShard } from "./download.ts";
import type { ShardStore } from "#weights/store/store.ts";

interface Piece {
  readonly key: string;
  readonly start: number;
  readonly etag: string;
}

/** Keeps one shard's bytes while they arrive; a store that fails only costs what could have been resumed. */
export interface PieceKeeper {
  /** Stores what has come since the last time, if it is at least `atLeast` bytes; resolves when it is stored. */
  keep(partial: PartialShard, atLeast: number): Promise<void>;
  /** Deletes the shard's pieces, and tells whether there were any; for when the shard is stored whole, or its bytes turned out wrong. */
  drop(): Promise<boolean>;
}

/** Whether the key is that of a piece of one of these shards. */
export function isPieceOf(key: string, shardKeys: ReadonlySet<string>): boolean {
  const at = key.indexOf("~", key.lastIndexOf(":"));
  return at > 0 && shardKeys.has(key.slice(0, at));
}

/** The bytes kept of a shard, from its first on; undefined when there are none. */
export async function readPieces(
  store: ShardStore,
  keys: readonly string[],
  shardKey: string,
  shardBytes: number,
): Promise<PartialShard | undefined> {
  const pieces = piecesOf(keys, shardKey);
  let best: PartialShard | undefined;
  // Bytes of two versions of a file never go together.
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
        break; // The host can't read it any more: the rest is fetched.
      }
    }
    if (partial.received > (best?.received ?? 0)) best = partial;
  }
  return best;
}

/** Goes on from what `readPieces` gave, or from nothing. */
export function createPieceKeeper(store: ShardStore, shardKey: string, resumed: PartialShard | undefined): PieceKeeper {
  let kept = resumed?.received ?? 0;
  let etag = resumed?.etag;
  let last: Promise<void> = Promise.resolve();
  let broken = false;

  const put = async (partial: PartialShard, atLeast: number): Promise<void> => {
    if (partial.etag !== etag || partial.received < kept) {
      kept = 0; // The file has changed, and its bytes come anew.
      etag = partial.etag;
    }
    const end = partial.received;
    if (broken || end === kept || end - kept < atLeast) return;
    try {
      await store.put(
        `${shardKey}~${kept}~${encodeURIComponent(etag ?? "")}`,
        new Blob([partial.bytes.slice(kept, end)]),
      );
      kept = end;
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      broken = true;
    }
  };

  return {
    keep: (partial, atLeast) => (last = last.then(() => put(partial, atLeast))),
    async drop() {
      await last;
      try {
        const keys = piecesOf(await store.keys(), shardKey).map(({ key }) => key);
        if (keys.length > 0) await store.delete(keys);
        return keys.length > 0;
      } catch (error) {
        // What can't be deleted only takes room, until the package is whole.
        if (!isStorageFailure(error)) throw error;
        return false;
      }
    },
  };
}

/** In the order of their bytes. */
function piecesOf(keys: readonly string[], shardKey: string): Piece[] {
  return keys
    .filter((key) => key.startsWith(`${shardKey}~`))
    .map((key) => {
      const [start = "", etag = ""] = key.slice(shardKey.length + 1).split("~");
      return { key, start: /^\d+$/.test(start) ? Number(start) : NaN, etag: decodeTag(etag) };
    })
    .filter(({ start }) => Number.isInteger(start) && start >= 0)
    .sort((a, b) => a.start - b.start);
}

/** A tag that nobody encoded is as good as any other. */
function decodeTag(etag: string): string {
  try {
    return decodeURIComponent(etag);
  } catch {
    return etag;
  }
}

function isStorageFailure(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === "storage" || code === "quota";
}
