// A repository of a model hub as a checkpoint's folder: its listing says what there is and what hash each file has. Small files are verified
// as they are read, files of weights by whoever reads them whole. The commit is that of the listing, so a branch may move meanwhile.
import { EngineError } from "#engine/errors.ts";
import type { CheckpointFile, CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { hubFilesUrl, type HubAddress } from "#weights/download/hub-address.ts";
import { fetchHubListing } from "#weights/download/hub-listing.ts";
import { fetchSmall } from "#weights/download/hub-manifest.ts";
import { HttpError } from "#weights/download/request.ts";
import { definedOnly } from "./range-reader.ts";
import { isWeightFile, remoteFile, wholeFile, type PlaceOptions } from "./remote-file.ts";
import { withToken } from "./with-token.ts";

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
  const known = token === undefined ? undefined : { value: token, host: address.host };
  const options = known ? { ...given, fetch: withToken(known, given.fetch ?? fetch) } : given;
  const gated = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => throwGated(error, address));
  const listing = await gated(fetchHubListing(address, definedOnly(options)));
  const { revision } = listing.address;
  const open = async (path: string): Promise<CheckpointFile | undefined> => {
    const file = listing.files.get(path);
    if (!file) return undefined;
    const url = new URL(path.split("/").map(encodeURIComponent).join("/"), hubFilesUrl(listing.address)).href;
    if (!isWeightFile(path)) return wholeFile(await gated(fetchSmall(url, file, definedOnly(options))));
    const { bytes, sha256 } = file;
    const remote = remoteFile({ url, name: path, bytes, sha256, version: revision, token: known }, given);
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

function throwGated(error: unknown, { host, repository }: HubAddress): never {
  if (error instanceof HttpError && (error.status === 401 || error.status === 403)) {
    throw new GatedError(error.status, `${host}${repository}`, { cause: error });
  }
  throw error;
}
