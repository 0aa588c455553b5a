// Which picture features are stored for later visits, and which are evicted: the least recently used. Knows no storage.
import type { ManifestFile } from "#weights/manifest.ts";
import { sha256Hex } from "./sha256.ts";

/** Features by the picture's key, within one scope of one package. What can't be read is absent, and what can't be stored is dropped. */
interface ScopedFeatures {
  get(key: string): Promise<Float32Array<ArrayBuffer> | undefined>;
  put(key: string, features: Float32Array<ArrayBuffer>): Promise<void>;
}

/** The features of all packages in this browser. */
export interface FeatureStorage {
  /** `owner`: the id of the package, whose deletion deletes them; `scope`: a name for all that they depend on (`featureScope`). */
  open(owner: string, scope: string): ScopedFeatures;
  /** Deletes what belongs to the package. */
  forget(owner: string): Promise<void>;
}

/** One picture's features. `owner` is the package's id, `usedAt` milliseconds since 1970. */
export interface FeatureEntry {
  readonly owner: string;
  readonly bytes: number;
  readonly usedAt: number;
}

/** All stored features by key. */
export type FeatureIndex = Readonly<Record<string, FeatureEntry>>;

/** An index after a change, and the keys that are to be deleted. */
export interface IndexChange {
  readonly index: FeatureIndex;
  readonly evicted: readonly string[];
}

/** Adds an entry, and evicts others until all take at most `maxBytes`; undefined where the entry alone is larger. */
export function addEntry(
  index: FeatureIndex,
  key: string,
  entry: FeatureEntry,
  maxBytes: number,
): IndexChange | undefined {
  if (entry.bytes > maxBytes) return undefined;
  const others = Object.entries(index)
    .filter(([other]) => other !== key)
    .sort(([, a], [, b]) => b.usedAt - a.usedAt);
  const stay: [string, FeatureEntry][] = [[key, entry]];
  const evicted: string[] = [];
  let bytes = entry.bytes;
  for (const [other, stored] of others) {
    bytes += stored.bytes;
    // The sum includes evicted entries, so that a smaller entry never outlives one that was used more recently.
    if (bytes <= maxBytes) stay.push([other, stored]);
    else evicted.push(other);
  }
  return { index: Object.fromEntries(stay), evicted };
}

/** Evicts a package's entries. */
export function removeOwner(index: FeatureIndex, owner: string): IndexChange {
  const entries = Object.entries(index);
  return {
    index: Object.fromEntries(entries.filter(([, entry]) => entry.owner !== owner)),
    evicted: entries.filter(([, entry]) => entry.owner === owner).map(([key]) => key),
  };
}

/**
 * A name for everything that features depend on besides the picture: the hashes of the files at these paths, and the device, because its
 * numbers may differ in the last digits.
 */
export async function featureScope(
  files: readonly ManifestFile[],
  paths: readonly string[],
  device: string,
): Promise<string> {
  const wanted = new Set(paths);
  const hashes = files
    .filter(({ path }) => wanted.has(path))
    .flatMap(({ path, shards }) => [path, ...shards.map(({ sha256 }) => sha256)]);
  return sha256Hex(new TextEncoder().encode([device, ...hashes].join("\n")));
}
