// What languages are called in the language of the page.

/** "English", "English and Chinese"; tags as in HTML. */
export function languageNames(pageTag: string, tags: readonly string[]): string {
  const names = new Intl.DisplayNames([pageTag], { type: "language" });
  return new Intl.ListFormat(pageTag, { type: "conjunction" }).format(tags.map((tag) => names.of(tag) ?? tag));
}
