// Which language the page speaks: the chosen one, else the first that the browser asks for. Names it, and the model, on the document.
import { useEffect } from "preact/hooks";
import { pickLanguage, type Language } from "#ui/texts/language.ts";
import { languages } from "#ui/texts/texts.ts";

export function useLanguage(chosen: string | undefined, modelName: string): Language {
  const language = pickLanguage([...(chosen === undefined ? [] : [chosen]), ...navigator.languages]);
  const { tag } = languages[language];
  useEffect(() => {
    document.documentElement.lang = tag;
    document.title = modelName === "" ? "llava-web" : `${modelName} · llava-web`;
  }, [tag, modelName]);
  return language;
}
