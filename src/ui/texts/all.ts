// Every text of the chat in every language, for tests and screenshots; the page loads the languages one by one (texts.ts).
import { en, type Texts } from "#ui/texts/en/en.ts";
import { zh } from "#ui/texts/zh/zh.ts";
import type { Language } from "./language.ts";

export const languages: Readonly<Record<Language, Texts>> = { en, zh };
