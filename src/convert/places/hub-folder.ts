// A repository of a model hub as a checkpoint's folder: its listing says what there is and what hash each file has. Small files are verified
// as they are read, files of weights by whoever reads them whole. The commit is that of the listing, so a branch may move meanwhile.
import { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { CheckpointFile, CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { hubFilesUrl, type HubAddress } from "#weights/download/hub-address.ts";
import { fetchHubListing } from "#weights/download/hub-listing.ts";
import { fetchSmall } from "#weights/download/hub-manifest.ts";
import { HttpError } from "#weights/download/request.ts";
import { definedOnly, isWeightFile, remoteFile, wholeFile, type PlaceOptions } from "./remote-file.ts";

export interface HubFolder {
  readonly folder: CheckpointFolder;
  readonly commit: string;
  /** The hub's name of the license; "unknown" where it names none. */
  readonly license: string;
}

/** The hub gives a repository to some readers only: 401 without a token that it knows, 403 before the reader has accepted its terms. */
export class GatedError extends EngineError {
  readonly status: 401 | 403;
  /** Where access is asked for. */
  readonly page: string;
  constructor(status: 401 | 403, page: string, options?: ErrorOptions) {
    super("http", `${page} gives its files to readers with a token and access only (status ${status})`, options);
    this.status = status;
    this.page = page;
  }
}

/** Asks for the listing. Rejects with GatedError, "network", "http" or "bad-package". */
export async function openHubFolder(
  address: HubAddress,
  token: string | undefined,
  given: PlaceOptions = {},
): Promise<HubFolder> {
  const options =
    token === undefined ? given : { ...given, fetch: withToken(token, address.host, given.fetch ?? fetch) };
  const gated = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => throwGated(error, address));
  const listing = await gated(fetchHubListing(address, options));
  const { revision } = listing.address;
  const open = async (path: string): Promise<CheckpointFile | undefined> => {
    const file = listing.files.get(path);
    if (!file) return undefined;
    const url = new URL(path.split("/").map(encodeURIComponent).join("/"), hubFilesUrl(listing.address)).href;
    if (!isWeightFile(path)) return wholeFile(await gated(fetchSmall(url, file, definedOnly(options))));
    const remote = remoteFile({ url, name: path, bytes: file.bytes, sha256: file.sha256, version: revision }, options);
    return { ...remote, read: (...asked) => gated(remote.read(...asked)) };
  };
  const opened = new Map<string, Promise<CheckpointFile | undefined>>();
  return {
    commit: revision,
    license: listing.license,
    folder: {
      name: address.repository.slice(address.repository.indexOf("/") + 1),
      open(path) {
        // A file that failed to open is asked for anew.
        const opening = opened.get(path) ?? open(path);
        opened.set(path, opening);
        opening.catch(() => opened.delete(path));
        return opening;
      },
      names: () => Promise.resolve([...listing.files.keys()]),
    },
  };
}

/** The token goes to the hub itself and to no host that it redirects to, which browsers and Node see to. */
function withToken(token: string, host: string, send: typeof fetch): typeof fetch {
  // Anything else could not be a header's value.
  if (!/^[\x21-\x7e]+$/.test(token)) throw badCheckpoint("the token has characters that no token of a hub has");
  const { origin } = new URL(host);
  return (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (new URL(url).origin !== origin) return send(input, init);
    const headers = new Headers(init?.headers);
    headers.set("authorization", `Bearer ${token}`);
    return send(input, { ...init, headers });
  };
}

function throwGated(error: unknown, { host, repository }: HubAddress): never {
  if (error instanceof HttpError && (error.status === 401 || error.status === 403)) {
    throw new GatedError(error.status, `${host}${repository}`, { cause: error });
  }
  throw error;
}
