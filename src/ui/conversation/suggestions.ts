// Questions that are worth asking of pictures, in a language that the model reads.
import { languagesOf } from "#zoo/languages.ts";
import { loadedTexts, textsOf, type Texts } from "#ui/texts/texts.ts";

export interface Suggestion {
  readonly question: string;
  /** What it means, where it is asked in another language than the page's. */
  readonly gloss?: string;
}

export interface AskedIn {
  /** Tag of the language in which the page asks the model. */
  readonly tag: string;
  /** The texts of that language. */
  readonly texts: Texts;
  /** Whether that is another language than the page's. */
  readonly foreign: boolean;
}

/** The page's own language where the model reads it or its languages are unknown; else the first that both know. */
export function askedIn(page: Texts, modelId: string): AskedIn {
  const own = page.tag.split("-")[0] ?? page.tag;
  const read = languagesOf(modelId);
  if (read === undefined || read.includes(own)) return { tag: own, texts: page, foreign: false };
  const texts = loadedTexts().find(({ tag }) => read.includes(tag.split("-")[0] ?? tag)) ?? textsOf("en");
  return { tag: texts.tag, texts, foreign: true };
}

/** For one picture or several. */
export function suggestQuestions(
  page: Texts,
  asked: AskedIn,
  knows: "basics" | "photographs",
  pictures: number,
): readonly Suggestion[] {
  // A model of basics was taught little about two pictures at a time.
  const kind = pictures > 1 && knows === "photographs" ? "several" : knows;
  const meant = page.chat.suggestions[kind];
  return asked.texts.chat.suggestions[kind].map((question, index) => {
    const gloss = asked.foreign ? meant[index] : undefined;
    return gloss === undefined ? { question } : { question, gloss };
  });
}
