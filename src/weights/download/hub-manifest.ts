// Makes a package manifest of a hub's repository. Small files, of which the hub publishes only git's hash, are fetched to be hashed.
import { EngineError } from "#engine/errors.ts";
import { isHubManifest, manifestVersion, parsePackageManifest, type HubManifest } from "#weights/manifest.ts";
import { sha256Hex, toHex } from "#weights/store/sha256.ts";
import { hubFilesUrl } from "./hub-address.ts";
import type { HubFile } from "./hub-listing.ts";
import type { HubPlan } from "./hub-plan.ts";
import { requestBytes, type RequestOptions } from "./request.ts";

/** In bytes; configs and tokenizers are shorter. */
const longestSmallFile = 64 * 2 ** 20;

/** The plan as a manifest, in which each file is one shard; `fetched` are the small files by path. Rejects with "network", "http" or "integrity". */
export async function hubManifest(
  id: string,
  plan: HubPlan,
  options: RequestOptions = {},
): Promise<{ readonly manifest: HubManifest; readonly fetched: ReadonlyMap<string, Blob> }> {
  const { address, name, license, modelType, dtypes } = plan;
  const fetched = new Map<string, Blob>();
  const files = await Promise.all(
    plan.files.map(async (file) => {
      let { sha256 } = file;
      if (sha256 === undefined) {
        const bytes = await fetchSmall(new URL(file.path, hubFilesUrl(address)).href, file, options);
        sha256 = await sha256Hex(bytes);
        fetched.set(file.path, new Blob([bytes]));
      }
      return { path: file.path, bytes: file.bytes, shards: [{ offset: 0, bytes: file.bytes, sha256 }] };
    }),
  );
  const { repository, revision } = address;
  const model = { id, name, license, modelType, repository, revision, dtypes };
  const parsed = parsePackageManifest({
    version: manifestVersion,
    model: { ...model, architecture: "transformers.js" },
    files,
  });
  if (!parsed.ok) throw new EngineError("bad-package", `${repository}: ${parsed.problem}`);
  if (!isHubManifest(parsed.manifest)) throw new EngineError("internal", "made a manifest of the wrong kind");
  return { manifest: parsed.manifest, fetched };
}

/** The bytes of a small file, verified by the hash that the hub publishes; where it does not match they are fetched once more past all caches. */
export async function fetchSmall(
  url: string,
  { bytes, gitOid, sha256 }: HubFile,
  options: RequestOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes > longestSmallFile) throw new EngineError("bad-package", `${url} has ${bytes} bytes: too many`);
  for (const cache of ["no-cache", "reload"] as const) {
    const content = await requestBytes(url, options, cache);
    // Of a file in large file storage git's hash is that of a pointer.
    if (sha256 === undefined ? (await gitHash(content)) === gitOid : (await sha256Hex(content)) === sha256)
      return content;
  }
  throw new EngineError("integrity", `${url} does not have the bytes that the hub publishes a hash of`);
}

/** Git's object id of a blob: SHA-1 over a header and the bytes, in hex. */
async function gitHash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const header = new TextEncoder().encode(`blob ${bytes.length}\0`);
  const whole = new Uint8Array(header.length + bytes.length);
  whole.set(header);
  whole.set(bytes, header.length);
  const digest = await crypto.subtle.digest("SHA-1", whole);
  return toHex(digest);
}
