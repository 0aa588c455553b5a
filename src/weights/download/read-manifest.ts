// Finds a package's manifest: the server's, the stored one where the server cannot be reached, or, for a repository on a model hub without a
// manifest, one made of the hashes that the hub publishes.
import { EngineError } from "#engine/errors.ts";
import { isHubManifest, manifestName, parsePackageManifest, type PackageManifest } from "#weights/manifest.ts";
import { manifestKey } from "#weights/store/keys.ts";
import { unlessStoreFails, type ShardStore } from "#weights/store/store.ts";
import { hubAddress, hubFilesUrl } from "./hub-address.ts";
import { hubManifest } from "./hub-manifest.ts";
import { planHubPackage, type HubPrecision } from "./hub-plan.ts";
import { requestBytes, type RequestOptions } from "./request.ts";

export interface PackageSource {
  readonly id: string;
  /** Absolute URL of the package folder, ending with a slash; "" for a package that was imported from a file. */
  readonly baseUrl: string;
}

/** A manifest, parsed and as it was fetched. */
export interface ReadManifest {
  readonly json: unknown;
  readonly manifest: PackageManifest;
  readonly manifestBlob: Blob;
  /** The URL that file paths are relative to; "" for a package that was imported from a file. */
  readonly filesUrl: string;
  /** Files that were fetched already, because the manifest is made of their hashes. */
  readonly fetched?: ReadonlyMap<string, Blob>;
}

/** Rejects with "network", "http" or "bad-package". `precision` chooses among a hub's files. */
export async function readManifest(
  source: PackageSource,
  store: ShardStore,
  precision: (() => Promise<HubPrecision>) | undefined,
  options: RequestOptions,
): Promise<ReadManifest> {
  const { baseUrl } = source;
  const stored = await storedManifestBlob(store, source.id);
  if (baseUrl === "") {
    if (!stored) throw new EngineError("bad-package", `${source.id} came from a file and is not stored any more`);
    return parseManifestBlob(stored, manifestName, "");
  }
  // A hub's package stays at the commit that it was fetched from until it is deleted.
  if (stored && (await isHubManifestBlob(stored))) return parseManifestBlob(stored, manifestName, baseUrl);
  const url = new URL(manifestName, baseUrl).href;
  try {
    // With a stored manifest at hand one timeout is enough.
    const oneTry = stored ? { ...options, tries: 1 } : options;
    return await parseManifestBlob(await fetchManifest(url, oneTry, "no-cache"), url, baseUrl);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (stored) return parseManifestBlob(stored, url, baseUrl);
    const made = await makeHubManifest(source, precision, options);
    if (made) return made;
    throw error;
  }
}

/**
 * Another manifest than the one whose files did not fit; undefined when there is none. A cache may have answered with an old manifest: the
 * service worker keeps that of its own version. So the server's is asked for past all caches, then the stored one is tried.
 */
export async function readOtherManifest(
  source: PackageSource,
  store: ShardStore,
  options: RequestOptions,
  used: ReadManifest,
): Promise<ReadManifest | undefined> {
  if (source.baseUrl === "") return undefined;
  const url = new URL(manifestName, source.baseUrl).href;
  const candidates = [() => fetchManifest(url, options, "reload"), () => storedManifestBlob(store, source.id)];
  for (const candidate of candidates) {
    try {
      const blob = await candidate();
      if (blob && !(await haveSameText(used.manifestBlob, blob)))
        return await parseManifestBlob(blob, url, source.baseUrl);
    } catch {
      options.signal?.throwIfAborted();
      // The caller throws the error of the first manifest.
    }
  }
  return undefined;
}

/** The server's manifest of a package; rejects with "network", "http" or "bad-package". */
export async function fetchPackageManifest(baseUrl: string, options: RequestOptions = {}): Promise<PackageManifest> {
  const url = new URL(manifestName, baseUrl).href;
  return (await parseManifestBlob(await fetchManifest(url, options, "no-cache"), url, baseUrl)).manifest;
}

/** Whether a manifest with these bytes is stored. */
export async function isManifestStored(store: ShardStore, packageId: string, manifestBlob: Blob): Promise<boolean> {
  const stored = await storedManifestBlob(store, packageId);
  return stored !== undefined && (await haveSameText(stored, manifestBlob));
}

function storedManifestBlob(store: ShardStore, packageId: string): Promise<Blob | undefined> {
  return unlessStoreFails(store.get(manifestKey(packageId)), undefined);
}

/** Undefined where the address is not that of a repository on a hub. */
async function makeHubManifest(
  { id, baseUrl }: PackageSource,
  precision: (() => Promise<HubPrecision>) | undefined,
  options: RequestOptions,
): Promise<ReadManifest | undefined> {
  const address = hubAddress(baseUrl);
  if (!address) return undefined;
  const plan = await planHubPackage(address, (await precision?.()) ?? "cpu", options);
  const { manifest, fetched } = await hubManifest(id, plan, options);
  const manifestBlob = new Blob([JSON.stringify(manifest)]);
  return { json: manifest, manifest, manifestBlob, fetched, filesUrl: hubFilesUrl(plan.address) };
}

async function isHubManifestBlob(blob: Blob): Promise<boolean> {
  try {
    const parsed = parsePackageManifest(JSON.parse(await blob.text()));
    return parsed.ok && isHubManifest(parsed.manifest);
  } catch {
    return false; // Damaged: the server is asked.
  }
}

async function fetchManifest(url: string, options: RequestOptions, cache: RequestCache): Promise<Blob> {
  return new Blob([await requestBytes(url, options, cache)]);
}

async function parseManifestBlob(blob: Blob, url: string, baseUrl: string): Promise<ReadManifest> {
  let json: unknown;
  try {
    json = JSON.parse(await blob.text());
  } catch (error) {
    throw new EngineError("bad-package", `${url} is not JSON: is the model package in its place?`, { cause: error });
  }
  const parsed = parsePackageManifest(json);
  if (!parsed.ok) throw new EngineError("bad-package", `${url}: ${parsed.problem}`);
  const { manifest } = parsed;
  const address = isHubManifest(manifest) ? hubAddress(baseUrl) : undefined;
  const filesUrl =
    address && isHubManifest(manifest) ? hubFilesUrl({ ...address, revision: manifest.model.revision }) : baseUrl;
  // The parsed value, not the JSON: what the schema does not know may be nested too deep to be cloned to another worker.
  return { json: manifest, manifest, manifestBlob: blob, filesUrl };
}

async function haveSameText(one: Blob, other: Blob): Promise<boolean> {
  return one.size === other.size && (await one.text()) === (await other.text());
}
