// The address of a repository on a model hub (huggingface.co and its mirrors), parsed from a package URL.

/** A revision of a repository, and the hub's URL. */
export interface HubAddress {
  /** The hub's URL with a trailing slash. */
  readonly host: string;
  /** "owner/name". */
  readonly repository: string;
  readonly revision: string;
}

/** Parses a package URL such as `https://huggingface.co/owner/name/resolve/main/`; undefined for URLs of another form. */
export function hubAddress(baseUrl: string): HubAddress | undefined {
  const found = /^(https?:\/\/[^/]+\/)([\w.-]+\/[\w.-]+)\/resolve\/([^/?#]+)\/$/.exec(baseUrl);
  if (!found) return undefined;
  const [, host = "", repository = "", revision = ""] = found;
  return { host, repository, revision: decodeURIComponent(revision) };
}

/** The URL that the repository's file paths are relative to. */
export function hubFilesUrl({ host, repository, revision }: HubAddress): string {
  return `${host}${repository}/resolve/${encodeURIComponent(revision)}/`;
}
