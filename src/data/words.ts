// How long a text is in words, in which script it is written, and how it begins. Light: no dictionary, no model.

/** Scripts without spaces between words; every character counts as a word. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;
const isPlain = (text: string): boolean => !/[^\x00-\x7f]/.test(text); // eslint-disable-line no-control-regex -- ASCII is meant

/** Runs of characters between spaces; in scripts that write none, characters. */
export function countWords(text: string): number {
  const apart = isPlain(text) ? text : text.replace(unspaced, " x ");
  return apart.match(/\S+/g)?.length ?? 0;
}

const scripts = [
  ["Latin", /\p{Script=Latin}/gu],
  ["Han", /\p{Script=Han}/gu],
  ["Japanese", /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ["Korean", /\p{Script=Hangul}/gu],
  ["Cyrillic", /\p{Script=Cyrillic}/gu],
  ["Arabic", /\p{Script=Arabic}/gu],
  ["Devanagari", /\p{Script=Devanagari}/gu],
  ["Thai", /\p{Script=Thai}/gu],
  ["Greek", /\p{Script=Greek}/gu],
  ["Hebrew", /\p{Script=Hebrew}/gu],
  ["Bengali", /\p{Script=Bengali}/gu],
  ["Tamil", /\p{Script=Tamil}/gu],
] as const;
/** How much of a text is looked at. */
const sampleLength = 2000;

/** The script that most letters are of: "Latin", "Han", …; "other" for letters of none of them, "none" for no letters. Kana makes it Japanese. */
export function scriptOf(text: string): string {
  const sample = text.slice(0, sampleLength);
  if (isPlain(sample)) return /[a-z]/i.test(sample) ? "Latin" : "none";
  const counts = scripts.map(([name, pattern]) => [name, sample.match(pattern)?.length ?? 0] as const);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  const [name, most] = counts.reduce((best, one) => (one[1] > best[1] ? one : best));
  if (most === 0) return letters === 0 ? "none" : "other";
  const kana = counts.find(([script]) => script === "Japanese")?.[1] ?? 0;
  return name === "Han" && kana * 10 > most ? "Japanese" : name;
}

/** The first two words in small letters without marks; four characters where words are not set apart. */
export function beginningOf(text: string): string {
  const start = text.trimStart().slice(0, 200).toLowerCase();
  const [first = "", second = ""] = start
    .split(/\s+/)
    .map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ""))
    .filter((word) => word !== "");
  if (first.search(unspaced) >= 0) return Array.from(first).slice(0, 4).join("");
  return `${first} ${second}`.trim().slice(0, 40);
}
