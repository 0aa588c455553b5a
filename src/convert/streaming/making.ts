// Where a package is made that outlives its maker: what the streaming converter asks of a storage. `store-making.ts` is the one over the
// weights store, `folder-making.node.ts` the one over a folder.
import type { PackageFiles } from "#engine/types.ts";
import type { Manifest } from "#weights/manifest.ts";
import type { Journal, JournalShard } from "./journal.ts";

export interface Making {
  /** What an earlier maker left; undefined where there is nothing, or where something of it is gone. */
  journal(): Promise<Journal | undefined>;
  /** Stores a shard; a shard of the same place is replaced. Throws "quota", "storage" or "disk". */
  put(shard: JournalShard, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Stores the journal in the place of the last one, at once or not at all. */
  note(journal: Journal): Promise<void>;
  /** Reads back what is stored; absent where a model can't be run from it. */
  readonly files?: PackageFiles | undefined;
  /** Makes a package of what is stored. */
  commit(manifest: Manifest): Promise<void>;
  /** Removes everything that was made, but no package that is finished. */
  discard(): Promise<void>;
  /** Throws "quota" or "disk" where so many more bytes can't be stored. */
  reserve(bytes: number): Promise<void>;
}
