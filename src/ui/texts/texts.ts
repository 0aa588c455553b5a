// Every text of the chat in the languages that are here: English always, others once they are loaded. Components read the page's own through
// `useTexts`.
import { signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { en, type Texts } from "#ui/texts/en/en.ts";
import type { Language } from "./language.ts";

export type { Texts } from "#ui/texts/en/en.ts";

/** What each language calls itself. */
export const languageNames: Readonly<Record<Language, string>> = { en: "English", zh: "中文" };

const loaded = signal<{ readonly en: Texts } & Partial<Readonly<Record<Language, Texts>>>>({ en });

/** The texts that are here, English first. */
export const loadedTexts = (): readonly Texts[] => Object.values(loaded.value);

/** The texts of a language, or English until they are loaded; a component that asks is drawn anew then. */
export const textsOf = (language: Language): Texts => loaded.value[language] ?? loaded.value.en;

/** Brings the texts of a language. Rejects where they can't be fetched; the page goes on in English then. */
export async function loadTexts(language: Language): Promise<void> {
  if (language === "zh" && !loaded.value.zh) {
    const { zh } = await import("#ui/texts/zh/zh.ts");
    loaded.value = { ...loaded.value, zh };
  }
}

export const TextsContext = createContext<Texts>(en);

/** The texts of the language of the page. */
export function useTexts(): Texts {
  return useContext(TextsContext);
}
