// The answer normalizer of the VQA evaluation server as LLaVA ships it, with its faults: they move figures. Knows no benchmark.
import { words } from "#eval/files/python.ts";
import { contractions } from "./contractions.ts";

const punctuation = [";", "/", "[", "]", '"', "{", "}", "(", ")", "=", "+", "\\", "_", "-", ">", "<", "@", "`", ",", "?", "!"]; // prettier-ignore
const digitWords: Readonly<Record<string, string>> = {
  none: "0",
  zero: "0",
  one: "1",
  two: "2",
  three: "3",
  four: "4",
  five: "5",
  six: "6",
  seven: "7",
  eight: "8",
  nine: "9",
  ten: "10",
};
const articles = new Set(["a", "an", "the"]);
const commaBetweenDigits = /(?<=\p{Nd}),+(?=\p{Nd})/u;

/**
 * Brings an answer to the form that is compared. The published rule for periods was meant to keep those between digits, but its look-behind is a
 * look-ahead for other characters, and a flag was passed as the count: the first 32 periods without a digit after them go. `strict` keeps a period
 * with a digit on either side, and has no count.
 */
export function normalizeAnswer(answer: string, strict = false): string {
  const lower = answer.toLowerCase().replaceAll(",", "").replaceAll("?", "").replaceAll("'s", " 's").trim();
  return normalizeWords(normalizePunctuation(lower.replaceAll("\n", " ").replaceAll("\t", " ").trim(), strict));
}

/** Removes each mark that stands beside a space anywhere in the text, or all of them where a comma stands between digits; others become spaces. */
export function normalizePunctuation(text: string, strict = false): string {
  const hasComma = commaBetweenDigits.test(text);
  let out = text;
  for (const mark of punctuation) {
    const goes = hasComma || text.includes(`${mark} `) || text.includes(` ${mark}`);
    out = out.replaceAll(mark, goes ? "" : " ");
  }
  return strict ? out.replace(/(?<!\p{Nd})\.(?!\p{Nd})/gu, "") : withoutPeriods(out);
}

const mostPeriods = 32;

function withoutPeriods(text: string): string {
  let gone = 0;
  return text.replace(/\.(?!\p{Nd})/gu, (period) => (gone++ < mostPeriods ? "" : period));
}

/** Lower case, words for numbers as digits, no articles, contractions with their apostrophes. */
export function normalizeWords(text: string): string {
  return words(text.toLowerCase())
    .map((word) => (Object.hasOwn(digitWords, word) ? (digitWords[word] ?? word) : word))
    .filter((word) => !articles.has(word))
    .map((word) => contractions.get(word) ?? word)
    .join(" ");
}
