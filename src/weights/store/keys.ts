// The keys under which a package is stored: `<package>/manifest.json`, `<package>/.used`, `<package>/<path>#<shard>:<sha256>`, for a shard that
// has not arrived whole its pieces, `<shard key>~<start>~<etag>`, and `<package>/.making` while a checkpoint is converted into it. Package ids
// are encoded so that no key is ambiguous.
import { manifestName, type ManifestFile, type PackageManifest, type Shard } from "#weights/manifest.ts";

/** Every key of a package starts with this. */
export function packagePrefix(packageId: string): string {
  return `${encodeURIComponent(packageId)}/`;
}

export function manifestKey(packageId: string): string {
  return `${packagePrefix(packageId)}${manifestName}`;
}

/** The note of when the package was used last and where it came from. */
export function noteKey(packageId: string): string {
  return `${packagePrefix(packageId)}.used`;
}

/** The journal of a conversion that is not finished. */
export function journalKey(packageId: string): string {
  return `${packagePrefix(packageId)}.making`;
}

/** Another hash is another key, so a changed package never mixes with the old one. */
export function shardKey(packageId: string, path: string, index: number, sha256: string): string {
  return `${packagePrefix(packageId)}${path}#${index}:${sha256}`;
}

/** A shard, the file that it is part of, and its key. */
export interface KeyedShard {
  readonly file: ManifestFile;
  readonly shard: Shard;
  readonly key: string;
}

/** Every shard of a package, in the order of the manifest. */
export function packageShards(packageId: string, manifest: PackageManifest): KeyedShard[] {
  return manifest.files.flatMap((file) =>
    file.shards.map((shard, index) => ({ file, shard, key: shardKey(packageId, file.path, index, shard.sha256) })),
  );
}

/** The id of the package that a key belongs to; undefined for keys that this program cannot have written. */
export function packageOf(key: string): string | undefined {
  const slash = key.indexOf("/");
  if (!/^(manifest\.json|\.used|\.making|.+#\d+:[0-9a-f]{64}(~\d+~\S*)?)$/.test(key.slice(slash + 1))) return undefined;
  try {
    const id = decodeURIComponent(key.slice(0, slash));
    return slash > 0 && key.startsWith(packagePrefix(id)) ? id : undefined;
  } catch {
    return undefined; // The prefix is no encoded text.
  }
}

/** A part of a shard: the bytes from `start` on, of the file version with this etag ("" where the server sends none). */
export interface Piece {
  readonly key: string;
  readonly start: number;
  readonly etag: string;
}

export function pieceKey(shardKey: string, start: number, etag: string): string {
  return `${shardKey}~${start}~${encodeURIComponent(etag)}`;
}

/** The shard's pieces among these keys, by the position of their bytes. */
export function piecesOf(keys: readonly string[], shardKey: string): Piece[] {
  return keys
    .filter((key) => key.startsWith(`${shardKey}~`))
    .map((key) => {
      const [start = "", etag = ""] = key.slice(shardKey.length + 1).split("~");
      return { key, start: /^\d+$/.test(start) ? Number(start) : NaN, etag: decodeEtag(etag) };
    })
    .filter(({ start }) => Number.isInteger(start) && start >= 0)
    .sort((a, b) => a.start - b.start);
}

/** Whether the key is that of a piece of one of these shards. */
export function isPieceOf(key: string, shardKeys: ReadonlySet<string>): boolean {
  const at = key.indexOf("~", key.lastIndexOf(":"));
  return at > 0 && shardKeys.has(key.slice(0, at));
}

/** An etag that was not encoded is taken as it is. */
function decodeEtag(etag: string): string {
  try {
    return decodeURIComponent(etag);
  } catch {
    return etag;
  }
}
