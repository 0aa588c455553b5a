// How sure a figure is: percentile intervals of a bootstrap over questions, and paired comparisons of two models. Draws come from a seed, so that a
// report can be made again. Knows no benchmark.
import { createRandom } from "#engine/text/sampler.ts";
import type { Figure, Item } from "#eval/scorers/outcome.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Draws {
  readonly resamples: number;
  readonly seed: number;
}

/** The 95 % interval of each figure, by name: questions are drawn again with replacement. Figures without a number in some draw leave it out. */
export function intervals(
  items: readonly Item[],
  figures: (items: readonly Item[]) => readonly Figure[],
  { resamples, seed }: Draws,
): ReadonlyMap<string, Interval> {
  const random = createRandom(seed);
  const values = new Map<string, number[]>();
  for (let draw = 0; draw < resamples; draw++) {
    const drawn = items
      .map((_, i) => items[Math.floor(random() * items.length)] ?? items[i])
      .filter((item) => item !== undefined);
    for (const { name, value } of figures(drawn)) {
      if (!Number.isFinite(value)) continue;
      const list = values.get(name) ?? [];
      list.push(value);
      values.set(name, list);
    }
  }
  return new Map([...values].map(([name, list]) => [name, percentiles(list)]));
}

function percentiles(values: readonly number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  return { low: at(0.025), high: at(0.975) };
}

/** Two models on the same questions. */
export interface Comparison {
  /** Questions that both answer. */
  readonly items: number;
  /** Of the first figure: the second model's less the first's. */
  readonly difference: number;
  readonly interval: Interval;
  /** Two-sided, of the bootstrap: how often the difference has the other sign or is 0, twice the smaller side. */
  readonly bootstrapP: number;
  /** Questions that only the first or only the second answers right, where every question is right or wrong; and McNemar's exact two-sided p. */
  readonly mcnemar?: { readonly onlyFirst: number; readonly onlySecond: number; readonly p: number };
}

/** Compares the first figure of two models, whose items are paired by id; undefined where they have none in common. */
export function compare(
  first: { readonly items: readonly Item[]; readonly figures: (items: readonly Item[]) => readonly Figure[] },
  second: { readonly items: readonly Item[]; readonly figures: (items: readonly Item[]) => readonly Figure[] },
  { resamples, seed }: Draws,
): Comparison | undefined {
  const others = new Map(second.items.map((item) => [item.id, item]));
  const pairs = first.items.flatMap((item): [Item, Item][] => {
    const other = others.get(item.id);
    return other ? [[item, other]] : [];
  });
  if (pairs.length === 0) return undefined;
  const difference = (some: readonly (readonly [Item, Item])[]): number =>
    (second.figures(some.map(([, b]) => b))[0]?.value ?? NaN) - (first.figures(some.map(([a]) => a))[0]?.value ?? NaN);
  const random = createRandom(seed);
  const drawn: number[] = [];
  for (let draw = 0; draw < resamples; draw++) {
    const value = difference(pairs.map((pair) => pairs[Math.floor(random() * pairs.length)] ?? pair));
    if (Number.isFinite(value)) drawn.push(value);
  }
  const tail = Math.min(drawn.filter((value) => value <= 0).length, drawn.filter((value) => value >= 0).length);
  return {
    items: pairs.length,
    difference: difference(pairs),
    interval: percentiles(drawn),
    bootstrapP: Math.min(1, (2 * tail) / drawn.length),
    ...mcnemar(pairs),
  };
}

function mcnemar(pairs: readonly (readonly [Item, Item])[]): Pick<Comparison, "mcnemar"> {
  if (pairs.some(([a, b]) => !isBinary(a.score) || !isBinary(b.score))) return {};
  const onlyFirst = pairs.filter(([a, b]) => a.score > b.score).length;
  const onlySecond = pairs.filter(([a, b]) => b.score > a.score).length;
  return { mcnemar: { onlyFirst, onlySecond, p: exactMcNemar(onlyFirst, onlySecond) } };
}

const isBinary = (score: number): boolean => score === 0 || score === 1;

/** McNemar's exact test: twice the chance that a fair coin falls so unequally or more, at most 1. */
export function exactMcNemar(onlyFirst: number, onlySecond: number): number {
  const flips = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  // Logarithms of the binomial's terms: 2^−flips alone is 0 for a thousand flips.
  let term = -flips * Math.LN2;
  let sum = 0;
  for (let heads = 0; heads <= fewer; heads++) {
    sum += Math.exp(term);
    term += Math.log(flips - heads) - Math.log(heads + 1);
  }
  return Math.min(1, 2 * sum);
}
