// Which languages the pages speak, and which one suits a reader. Apart from the texts, because each page has its own.

export type Language = "en" | "zh";

/** The first of the wanted languages (tags as in `navigator.languages`) that the page speaks; English otherwise. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split("-")[0];
    if (primary === "en" || primary === "zh") return primary;
  }
  return "en";
}
