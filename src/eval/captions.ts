// Scores captions against several references each: CIDEr-D (Vedantam et al. 2015) and BLEU-4 (Papineni et al. 2002). Words are runs of letters
// and digits in lower case. Published figures use the PTB tokenizer, which treats contractions and hyphens differently.

export interface Captioned {
  readonly answer: string;
  readonly references: readonly string[];
}

type Grams = Map<string, number>;
/** N-grams of 1 to 4 words are counted. */
const longest = 4;
/** The σ of CIDEr-D's Gaussian penalty for a difference in length, in words. */
const sigma = 6;

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** Counts the n-grams of a text. */
function gramsOf(words: readonly string[], n: number): Grams {
  const counts: Grams = new Map();
  for (let i = 0; i + n <= words.length; i++) {
    const gram = words.slice(i, i + n).join(" ");
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** Mean CIDEr-D, 0 to 10. Document frequencies come from the given references. */
export function ciderD(captions: readonly Captioned[]): number {
  const frequencies: Grams = new Map();
  for (const { references } of captions) {
    const grams = new Set(
      references.flatMap((text) => [1, 2, 3, 4].flatMap((n) => [...gramsOf(wordsOf(text), n).keys()])),
    );
    for (const gram of grams) frequencies.set(gram, (frequencies.get(gram) ?? 0) + 1);
  }
  const total = Math.log(captions.length);
  const weigh = (words: readonly string[], n: number): Grams => {
    const weights: Grams = new Map();
    for (const [gram, count] of gramsOf(words, n))
      weights.set(gram, count * Math.max(0, total - Math.log(Math.max(1, frequencies.get(gram) ?? 0))));
    return weights;
  };
  const scores = captions.map(({ answer, references }) => {
    const words = wordsOf(answer);
    let score = 0;
    for (let n = 1; n <= longest; n++) {
      const own = weigh(words, n);
      for (const reference of references) {
        const theirs = wordsOf(reference);
        const apart = words.length - theirs.length;
        score += clippedCosine(own, weigh(theirs, n)) * Math.exp(-(apart ** 2) / (2 * sigma ** 2));
      }
    }
    return (10 * score) / (longest * references.length);
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function clippedCosine(own: Grams, theirs: Grams): number {
  let product = 0;
  for (const [gram, weight] of own) {
    const other = theirs.get(gram) ?? 0;
    product += Math.min(weight, other) * other;
  }
  const scale = norm(own) * norm(theirs);
  return scale === 0 ? 0 : product / scale;
}

function norm(grams: Grams): number {
  let squares = 0;
  for (const weight of grams.values()) squares += weight ** 2;
  return Math.sqrt(squares);
}

/** Corpus BLEU-4, 0 to 1, without smoothing. The brevity penalty uses the reference nearest in length, the shorter of two equally near. */
export function bleu4(captions: readonly Captioned[]): number {
  const [matches, totals] = [new Array<number>(longest).fill(0), new Array<number>(longest).fill(0)];
  let [length, nearest] = [0, 0];
  for (const { answer, references } of captions) {
    const words = wordsOf(answer);
    const others = references.map(wordsOf);
    length += words.length;
    const lengths = others.map((other) => other.length).sort((a, b) => a - b);
    nearest += lengths.reduce((best, l) => (Math.abs(l - words.length) < Math.abs(best - words.length) ? l : best), lengths[0] ?? 0); // prettier-ignore
    for (let n = 1; n <= longest; n++) {
      const most: Grams = new Map();
      for (const other of others)
        for (const [gram, count] of gramsOf(other, n)) most.set(gram, Math.max(count, most.get(gram) ?? 0));
      for (const [gram, count] of gramsOf(words, n)) {
        matches[n - 1] = (matches[n - 1] ?? 0) + Math.min(count, most.get(gram) ?? 0);
        totals[n - 1] = (totals[n - 1] ?? 0) + count;
      }
    }
  }
  if (length === 0 || matches.includes(0)) return 0;
  const logs = matches.reduce((sum, count, i) => sum + Math.log(count / (totals[i] ?? 1)), 0);
  return Math.min(1, Math.exp(1 - nearest / length)) * Math.exp(logs / longest);
}
