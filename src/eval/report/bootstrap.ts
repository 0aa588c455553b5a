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

/** The 95 % interval of each figure, by name: questions are drawn again with replacement. Draws without a number for a figure leave it out. */
export function intervals(
  items: readonly Item[],
  figures: (items: readonly Item[]) => readonly Figure[],
  { resamples, seed }: Draws,
): ReadonlyMap<string, Interval> {
  const classes = classesOf(items, alike);
  const values = new Map<string, number[]>();
  for (const weights of drawsOf(classes.classOf, classes.kinds.length, resamples, seed)) {
    for (const { name, value } of figures(weighted(classes.kinds, weights))) {
      if (!Number.isFinite(value)) continue;
      const list = values.get(name) ?? [];
      list.push(value);
      values.set(name, list);
    }
  }
  return new Map([...values].map(([name, list]) => [name, percentiles(list)]));
}

/** What figures see of an item: items that are alike in it are drawn as one kind, as often as they come. */
const alike = ({ groups, score, values }: Item): string => JSON.stringify([groups, score, values?.map(String)]);

/** One of each kind, and the kind of every member. */
function classesOf<T>(
  members: readonly T[],
  keyOf: (member: T) => string,
): { readonly kinds: readonly T[]; readonly classOf: Uint32Array } {
  const places = new Map<string, number>();
  const kinds: T[] = [];
  const classOf = Uint32Array.from(members, (member) => {
    const key = keyOf(member);
    const place = places.get(key) ?? kinds.push(member) - 1;
    places.set(key, place);
    return place;
  });
  return { kinds, classOf };
}

/** How often each kind comes in each of the draws. */
function* drawsOf(classOf: Uint32Array, kinds: number, resamples: number, seed: number): Generator<Uint32Array> {
  const random = createRandom(seed);
  for (let draw = 0; draw < resamples; draw++) {
    const weights = new Uint32Array(kinds);
    for (let i = 0; i < classOf.length; i++) {
      const kind = classOf[Math.floor(random() * classOf.length)] ?? 0;
      weights[kind] = (weights[kind] ?? 0) + 1;
    }
    yield weights;
  }
}

function weighted(kinds: readonly Item[], weights: Uint32Array): Item[] {
  return kinds.map((item, i): Item => ({ ...item, weight: weights[i] ?? 0 })).filter(({ weight }) => weight !== 0);
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

/** A model's items, and its figures over any choice of them. */
interface Compared {
  readonly items: readonly Item[];
  readonly figures: (items: readonly Item[]) => readonly Figure[];
}

/** Compares the first figure of two models, whose items are paired by id; undefined where they have none in common. */
export function compare(first: Compared, second: Compared, { resamples, seed }: Draws): Comparison | undefined {
  const others = new Map(second.items.map((item) => [item.id, item]));
  const pairs = first.items.flatMap((item): [Item, Item][] => {
    const other = others.get(item.id);
    return other ? [[item, other]] : [];
  });
  if (pairs.length === 0) return undefined;
  const valueOf = (model: Compared, items: readonly Item[]): number => model.figures(items)[0]?.value ?? NaN;
  const difference = valueOf(second, pairs.map(([, b]) => b)) - valueOf(first, pairs.map(([a]) => a)); // prettier-ignore
  const classes = classesOf(pairs, ([a, b]) => alike(a) + alike(b));
  const [firsts, seconds] = [classes.kinds.map(([a]) => a), classes.kinds.map(([, b]) => b)];
  const drawn: number[] = [];
  for (const weights of drawsOf(classes.classOf, classes.kinds.length, resamples, seed)) {
    const value = valueOf(second, weighted(seconds, weights)) - valueOf(first, weighted(firsts, weights));
    if (Number.isFinite(value)) drawn.push(value);
  }
  const tail = Math.min(drawn.filter((value) => value <= 0).length, drawn.filter((value) => value >= 0).length);
  return {
    items: pairs.length,
    difference,
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
