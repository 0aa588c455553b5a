// Pages of the site that are not kept for offline use, and what is shown of them without a network. Knows no cache.

/** The kept page that stands in for one below `scope`; undefined where the app itself is the better answer. */
export function offlinePage(url: URL, scope: string, languages: readonly string[]): string | undefined {
  if (!`${url.origin}${url.pathname}`.startsWith(`${scope}bench`)) return undefined;
  const wanted = languages.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => tag === "en" || tag === "zh");
  return `${scope}offline/bench.${wanted ?? "en"}.html`;
}
