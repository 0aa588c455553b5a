// In which language a question is asked, as far as its letters tell. Knows no model and no page.

/** Letters that only one language, or a family of them, is written with. Kana before Han: Japanese has both. */
const scripts: readonly (readonly [language: string, letters: RegExp])[] = [
  ["ja", /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ["zh", /\p{Script=Han}/gu],
  ["ko", /\p{Script=Hangul}/gu],
  ["ru", /\p{Script=Cyrillic}+/gu],
  ["ar", /\p{Script=Arabic}+/gu],
  ["he", /\p{Script=Hebrew}+/gu],
  ["hi", /\p{Script=Devanagari}+/gu],
  ["th", /\p{Script=Thai}+/gu],
  ["el", /\p{Script=Greek}+/gu],
];

/** A longer question is known by its beginning. */
const longestRead = 2000;

/**
 * The language whose letters the question is mostly written in; undefined where these are Latin, which many languages share, and where
 * it only quotes a few words of another ("What does 出口 mean?").
 */
export function languageOfText(text: string): string | undefined {
  const read = text.slice(0, longestRead);
  const latinWords = read.match(/\p{Script=Latin}+/gu)?.length ?? 0;
  const counts = scripts.map(([language, letters]) => [language, read.match(letters)?.length ?? 0] as const);
  const foreign = counts.reduce((sum, [, count]) => sum + count, 0);
  if (foreign === 0 || foreign < latinWords) return undefined;
  if ((counts[0]?.[1] ?? 0) > 0) return "ja";
  return counts.reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}
