// The texts of the page in the language it speaks.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { review as en, type ReviewTexts } from "#ui/texts/en/review.ts";
import type { Language } from "#ui/texts/language.ts";
import { review as zh } from "#ui/texts/zh/review.ts";

export type { ReviewTexts } from "#ui/texts/en/review.ts";

export const reviewLanguages: Readonly<Record<Language, ReviewTexts>> = { en, zh };

export const ReviewTextsContext = createContext<ReviewTexts>(en);

/** The texts of the language of the page. */
export function useReviewTexts(): ReviewTexts {
  return useContext(ReviewTextsContext);
}
