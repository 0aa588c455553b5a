// Addresses of hubs and of packages, as users type them. Pure.

/** Where "owner/name" is looked up. */
export const defaultHub = "https://huggingface.co/";

/** The origin of a hub given in the page's address, such as a mirror, with a trailing slash; undefined when it is no allowed address. */
export function hubAddressOf(given: string | null): string | undefined {
  if (given === null || !URL.canParse(given)) return undefined;
  const { protocol, origin, hostname } = new URL(given);
  const own = hostname === "localhost" || hostname === "127.0.0.1";
  return protocol === "https:" || (protocol === "http:" && own) ? `${origin}/` : undefined;
}

/** The absolute URL of a package folder, from an address or a hub id; undefined when it is neither. */
export function packageAddress(typed: string, hub = defaultHub): string | undefined {
  const text = typed.trim();
  if (/^[\w.-]+\/[\w.-]+$/.test(text)) return `${hub}${text}/resolve/main/`;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  url.hash = "";
  url.search = "";
  const folder = url.pathname.replace(/manifest\.json$/, "");
  url.pathname = folder.endsWith("/") ? folder : `${folder}/`;
  // The hub shows a repository under one address and serves its files under another.
  const onHub = url.hostname === "huggingface.co" || `${url.origin}/` === hub;
  const repository = onHub ? /^\/([\w.-]+\/[\w.-]+)\/$/.exec(url.pathname)?.[1] : undefined;
  return repository === undefined ? url.href : packageAddress(repository, `${url.origin}/`);
}

/** The "owner/name" of a package folder that is on the hub; undefined elsewhere. */
export function repositoryAt(baseUrl: string, hub = defaultHub): string | undefined {
  return baseUrl.startsWith(hub)
    ? /^([\w.-]+\/[\w.-]+)\/resolve\/main\/$/.exec(baseUrl.slice(hub.length))?.[1]
    : undefined;
}
