// A package in the making in the weights store: its shards lie where those of a finished package do, beside the journal.
import { EngineError } from "#engine/errors.ts";
import { journalKey, manifestKey, noteKey, packagePrefix, packageShards, shardKey } from "#weights/store/keys.ts";
import { getReadable, readJson, readStoredManifest, writeUseNote } from "#weights/store/records.ts";
import type { ShardStore } from "#weights/store/store.ts";
import { deleteOthers } from "#weights/store/stored-package.ts";
import { parseJournal, type JournalShard } from "./journal.ts";
import type { Making } from "./making.ts";

/** `room` tells how many bytes may still be stored; undefined where the host does not know. */
export function storeMaking(store: ShardStore, id: string, room: () => Promise<number | undefined>): Making {
  /** Shards of a finished package of the same id, which stays until the new one is whole. */
  const finished = async (): Promise<ReadonlySet<string>> => {
    const manifest = await readStoredManifest(store, id);
    return new Set(
      manifest ? [manifestKey(id), noteKey(id), ...packageShards(id, manifest).map(({ key }) => key)] : [],
    );
  };
  /** The keys of what is stored, by path and index. */
  const stored = new Map<string, Map<number, string>>();
  const remember = ({ path, index, sha256 }: Pick<JournalShard, "path" | "index" | "sha256">): string => {
    const key = shardKey(id, path, index, sha256);
    const shards = stored.get(path) ?? new Map<number, string>();
    stored.set(path, shards.set(index, key));
    return key;
  };
  return {
    async journal() {
      const journal = parseJournal(await readJson(await getReadable(store, journalKey(id))));
      if (!journal) return undefined;
      const keys = new Set(await store.keys());
      const isWhole = journal.shards.every(({ path, index, sha256 }) => keys.has(shardKey(id, path, index, sha256)));
      if (!isWhole) return undefined;
      journal.shards.forEach(remember);
      return journal;
    },
    put: (shard, bytes) => store.put(remember(shard), new Blob([bytes])),
    note: (journal) => store.put(journalKey(id), new Blob([JSON.stringify(journal)])),
    files: {
      async blob(path) {
        const shards = [...(stored.get(path) ?? [])].toSorted(([a], [b]) => a - b);
        const blobs = await Promise.all(shards.map(([, key]) => store.get(key)));
        const held = blobs.filter((blob) => blob !== undefined);
        if (held.length === 0 || held.length < blobs.length)
          throw new EngineError("bad-package", `the package has no file ${path}`);
        return new Blob(held);
      },
    },
    async commit(manifest) {
      const keys = new Set([manifestKey(id), noteKey(id), ...packageShards(id, manifest).map(({ key }) => key)]);
      await store.put(manifestKey(id), new Blob([JSON.stringify(manifest)]));
      await writeUseNote(store, id, { baseUrl: "" });
      await deleteOthers(store, id, (key) => keys.has(key));
    },
    async discard() {
      const keep = await finished();
      await deleteOthers(store, id, (key) => keep.has(key));
    },
    async reserve(bytes) {
      const left = await room();
      if (left === undefined || bytes <= left) return;
      const megabytes = (n: number): number => Math.ceil(n / 1e6);
      throw new EngineError(
        "quota",
        `${packagePrefix(id)} needs ${megabytes(bytes)} MB more, and the browser gives ${megabytes(left)} MB`,
      );
    },
  };
}
