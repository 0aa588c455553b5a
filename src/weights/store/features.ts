// Which features of pictures are kept for later visits, and under which name: the least recently used go first. Knows no storage.
import type { ManifestFile } from "#weights/manifest.ts";

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

/** What is kept of one picture. */
export interface FeatureEntry {
  readonly owner: string;
  readonly bytes: number;
  readonly usedAt: number;
}

/** All that is kept, by key. */
export type FeatureIndex = Readonly<Record<string, FeatureEntry>>;

/** The index with one more entry, and the keys that go for it; undefined where it alone is too large. */
export function admit(
  index: FeatureIndex,
  key: string,
  entry: FeatureEntry,
  maxBytes: number,
): { readonly index: FeatureIndex; readonly gone: readonly string[] } | undefined {
  if (entry.bytes > maxBytes) return undefined;
  const others = Object.entries(index)
    .filter(([other]) => other !== key)
    .sort(([, a], [, b]) => b.usedAt - a.usedAt);
  const stay: [string, FeatureEntry][] = [[key, entry]];
  const gone: string[] = [];
  let bytes = entry.bytes;
  for (const [other, held] of others) {
    bytes += held.bytes;
    // Not the next smaller one: what was used longer ago never outlives what was used since.
    if (bytes <= maxBytes) stay.push([other, held]);
    else gone.push(other);
  }
  return { index: Object.fromEntries(stay), gone };
}

/** The index without what belongs to the owner, and the keys that go. */
export function withoutOwner(
  index: FeatureIndex,
  owner: string,
): { readonly index: FeatureIndex; readonly gone: readonly string[] } {
  const [gone, stay] = [true, false].map((mine) =>
    Object.entries(index).filter((entry) => (entry[1].owner === owner) === mine),
  );
  return { index: Object.fromEntries(stay ?? []), gone: (gone ?? []).map(([key]) => key) };
}

/**
 * A name for all that a picture's features depend on but the picture: the hashes of these files, and the device, whose numbers may differ in
 * their last digits.
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
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode([device, ...hashes].join("\n")));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
