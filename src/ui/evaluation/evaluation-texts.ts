// The texts of the page in the language it speaks.
import { evaluation as en, type EvaluationTexts } from "#ui/texts/en/evaluation.ts";
import type { Language } from "#ui/texts/language.ts";
import { evaluation as zh } from "#ui/texts/zh/evaluation.ts";

export const evaluationLanguages: Readonly<Record<Language, EvaluationTexts>> = { en, zh };
