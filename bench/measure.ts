// What the benches share: one system's answer with its times, and two systems measured in turns, pair by pair.

/** Times in milliseconds from the request on. */
export interface Timed {
  readonly text: string;
  readonly tokens: number;
  readonly firstTokenMs: number;
  /** Tokens per second after the first; NaN for answers of one token. */
  readonly decodeRate: number;
}

/** One question to one system; every call is a new request. */
export type System<Request> = (request: Request) => Promise<Timed>;

export interface Pairs {
  readonly ours: readonly Timed[];
  readonly theirs: readonly Timed[];
}

/** A B A B …, after one of each that does not count. */
export async function inTurns<Request>(
  ours: System<Request>,
  theirs: System<Request>,
  requests: readonly Request[],
): Promise<Pairs> {
  const found = { ours: [] as Timed[], theirs: [] as Timed[] };
  for (const [i, request] of requests.entries()) {
    const [a, b] = [await ours(request), await theirs(request)];
    if (i === 0) continue;
    found.ours.push(a);
    found.theirs.push(b);
  }
  return found;
}

/** The middle of the numbers, and their ends. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.filter(Number.isFinite).toSorted((a, b) => a - b);
  const at = (i: number): number => sorted[i] ?? NaN;
  const middle = (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2;
  return { median: middle, low: at(0), high: at(sorted.length - 1) };
}

/** One figure of both systems, and the ratio taken pair by pair: theirs / ours of times, ours / theirs of rates; above 1 ours is ahead. */
export interface Compared {
  readonly ours: Spread;
  readonly theirs: Spread;
  readonly ratio: Spread;
}

export function compare({ ours, theirs }: Pairs, figure: "firstTokenMs" | "decodeRate"): Compared {
  const [a, b] = [ours.map((one) => one[figure]), theirs.map((one) => one[figure])];
  const ratios = a.map((value, i) => (figure === "decodeRate" ? value / (b[i] ?? NaN) : (b[i] ?? NaN) / value));
  return { ours: spreadOf(a), theirs: spreadOf(b), ratio: spreadOf(ratios) };
}

/** The shortest answers of both that differ; undefined when all are equal. */
export function firstDifference({
  ours,
  theirs,
}: Pairs): { readonly ours: string; readonly theirs: string } | undefined {
  const at = ours.findIndex(({ text }, i) => text.trim() !== theirs[i]?.text.trim());
  return at < 0 ? undefined : { ours: ours[at]?.text ?? "", theirs: theirs[at]?.text ?? "" };
}
