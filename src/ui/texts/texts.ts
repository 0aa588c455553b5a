// Every text of the chat by language, and the ones it speaks now. Components read them through `useTexts`.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { en, type Texts } from "#ui/texts/en/en.ts";
import { zh } from "#ui/texts/zh/zh.ts";
import type { Language } from "./language.ts";

export type { Texts } from "#ui/texts/en/en.ts";

export const languages: Readonly<Record<Language, Texts>> = { en, zh };

export const TextsContext = createContext<Texts>(en);

/** The texts of the language of the page. */
export function useTexts(): Texts {
  return useContext(TextsContext);
}
