// Pages of the site that are not cached, and what is shown in their place without a network. Knows no cache.

/** The URL of the cached page that replaces the one at `url` offline; undefined where the app itself is the better replacement. */
export function offlinePage(url: URL, scope: string, languages: readonly string[]): string | undefined {
  if (!`${url.origin}${url.pathname}`.startsWith(`${scope}bench`)) return undefined;
  const wanted = languages.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => tag === "en" || tag === "zh");
  return `${scope}offline/bench.${wanted ?? "en"}.html`;
}
