// Which language the page speaks: the chosen one, else the first that the browser asks for. Loads its texts; names it, and the model, on the
// document.
import { useEffect } from "preact/hooks";
import { pickLanguage, type Language } from "#ui/texts/language.ts";
import { loadTexts, textsOf } from "#ui/texts/texts.ts";

export function useLanguage(chosen: string | undefined, modelName: string): Language {
  const language = pickLanguage([...(chosen === undefined ? [] : [chosen]), ...navigator.languages]);
  const { tag } = textsOf(language);
  useEffect(() => void loadTexts(language).catch(() => undefined), [language]);
  useEffect(() => {
    document.documentElement.lang = tag;
    document.title = modelName === "" ? "llava-web" : `${modelName} · llava-web`;
  }, [tag, modelName]);
  return language;
}
