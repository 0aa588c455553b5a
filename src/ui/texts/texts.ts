// Which languages the page speaks and which one it speaks now. Components read the texts through `useTexts`.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { en, type Texts } from "#ui/texts/en/en.ts";
import { zh } from "#ui/texts/zh/zh.ts";

export type { Texts } from "#ui/texts/en/en.ts";
export type Language = "en" | "zh";

export const languages: Readonly<Record<Language, Texts>> = { en, zh };

/** The first of the wanted languages (tags as in `navigator.languages`) that the page speaks; English otherwise. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split("-")[0];
    if (primary === "en" || primary === "zh") return primary;
  }
  return "en";
}

export const TextsContext = createContext<Texts>(en);

/** The texts of the language of the page. */
export function useTexts(): Texts {
  return useContext(TextsContext);
}
