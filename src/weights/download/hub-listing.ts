// What a model hub says of a repository: its files with their hashes, its commit, its license. Knows no model and no storage.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import type { HubAddress } from "./hub-address.ts";
import { requestBytes, type RequestOptions } from "./request.ts";

export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** Undefined for small files, of which the hub publishes only git's hash. */
  readonly sha256: string | undefined;
  readonly gitOid: string;
}

export interface HubListing {
  /** With the commit as its revision. */
  readonly address: HubAddress;
  /** The hub's name of the license, such as "apache-2.0"; "unknown" where it names none. */
  readonly license: string;
  readonly modelType: string;
  readonly files: ReadonlyMap<string, HubFile>;
}

const Answer = v.looseObject({
  sha: v.string(),
  tags: v.optional(v.array(v.string()), []),
  config: v.optional(v.looseObject({ model_type: v.optional(v.string()) })),
  siblings: v.array(
    v.looseObject({
      rfilename: v.string(),
      size: v.optional(v.number()),
      blobId: v.optional(v.string()),
      lfs: v.nullish(v.looseObject({ sha256: v.string(), size: v.number() })),
    }),
  ),
});

/** Asks the hub. Rejects with "network", "http", or "bad-package" where its answer is of another kind. */
export async function fetchHubListing(address: HubAddress, options: RequestOptions = {}): Promise<HubListing> {
  const { host, repository, revision } = address;
  const url = `${host}api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const parsed = v.safeParse(Answer, await fetchJson(url, options));
  if (!parsed.success) throw new EngineError("bad-package", `${url}: the hub's answer was not understood`);
  const { sha, tags, config, siblings } = parsed.output;
  const files = new Map<string, HubFile>();
  for (const { rfilename, size, blobId, lfs } of siblings) {
    const bytes = lfs?.size ?? size;
    if (bytes === undefined || blobId === undefined) continue;
    files.set(rfilename, { path: rfilename, bytes, sha256: lfs?.sha256, gitOid: blobId });
  }
  return {
    address: { host, repository, revision: sha },
    license: tags.find((tag) => tag.startsWith("license:"))?.slice("license:".length) ?? "unknown",
    modelType: config?.model_type ?? "unknown",
    files,
  };
}

async function fetchJson(url: string, options: RequestOptions): Promise<unknown> {
  const text = new TextDecoder().decode(await requestBytes(url, options, "no-cache"));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new EngineError("bad-package", `${url} is not JSON`, { cause: error });
  }
}
