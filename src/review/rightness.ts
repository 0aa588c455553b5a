// How right an answer is where right answers are known, and how far answers are from each other. Knows no files.
import { normalizeAnswer } from "#eval/scorers/normalize.ts";
import { softScores } from "#eval/scorers/soft-accuracy.ts";

/** Answers of so many people are scored as VQA scores them. */
const people = 10;

/**
 * From 0 to 1. Answers of ten people count as in VQA. Else an answer has to be one of the right ones, or begin with it, after VQA's normalizer; where
 * that is yes, no or a letter, it has to be the answer's first word.
 */
export function rightness(answer: string, references: readonly string[]): number {
  const given = normalizeAnswer(answer, true);
  if (references.length >= people) {
    const said = references.map((one) => normalizeAnswer(one, true));
    return softScores(said).get(given) ?? 0;
  }
  const [, word, letter] = firstWord.exec(answer) ?? [];
  const first = (word ?? letter)?.toLowerCase();
  const isMet = (reference: string): boolean => {
    const plain = reference.trim().toLowerCase();
    if (isBare.test(plain)) return plain === first;
    const wanted = normalizeAnswer(reference, true);
    return wanted === given || (wanted !== "" && given.startsWith(`${wanted} `));
  };
  return references.some(isMet) ? 1 : 0;
}

/** Yes, no, or a letter that no word follows. */
const firstWord = /^[\s([]*(?:(yes|no)(?![\p{L}\p{N}])|([a-z])(?=\s*$|[.):,\]]))/iu;
const isBare = /^(yes|no|[a-z])$/;

/** From 0 (the same words) to 1 (none in common): the mean over all pairs of texts of the share of words that only one has. */
export function distance(texts: readonly string[]): number {
  const sets = texts.map((text) => new Set(normalizeAnswer(text, true).split(" ")));
  let [sum, pairs] = [0, 0];
  for (const [i, a] of sets.entries()) {
    for (const b of sets.slice(i + 1)) {
      const both = [...a].filter((word) => b.has(word)).length;
      sum += 1 - both / (a.size + b.size - both);
      pairs++;
    }
  }
  return pairs === 0 ? 0 : sum / pairs;
}
