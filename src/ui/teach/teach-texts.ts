// The texts of the teaching view in the language of the page; they are downloaded with the view.
import { teach as en, type TeachTexts } from "#ui/texts/en/teach.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { teach as zh } from "#ui/texts/zh/teach.ts";

export type { TeachTexts } from "#ui/texts/en/teach.ts";

export function useTeachTexts(): TeachTexts {
  return useTexts().tag === "en" ? en : zh;
}
