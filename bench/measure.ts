// What the benches share: one system's answer with its times, and what several answers of several systems amount to.

/** Times in milliseconds from the request on. */
export interface Timed {
  readonly text: string;
  readonly tokens: number;
  readonly firstTokenMs: number;
  /** Tokens per second after the first; NaN for answers of one token. */
  readonly decodeRate: number;
  readonly promptTokens?: number | undefined;
  /** What a token after the first asked of the GPU; absent where there is none. */
  readonly perToken?: PerToken | undefined;
}

/** Of a decode step, on average. */
export interface PerToken {
  readonly dispatches: number;
  readonly submits: number;
  readonly uploadedBytes: number;
  readonly readBytes: number;
  readonly newBuffers: number;
  /** Milliseconds of the CPU until the GPU has its next work. */
  readonly hostMs: number;
}

/** One question to one system; every call is a new request. Undefined where the system has no answer to such a question. */
export type System<Request> = (request: Request) => Promise<Timed | undefined>;

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

export type Figure = "firstTokenMs" | "decodeRate";

/** Pair by pair: theirs / ours of times, ours / theirs of rates; above 1 ours is ahead. */
export function ratioOf(ours: readonly Timed[], theirs: readonly Timed[], figure: Figure): Spread {
  return spreadOf(
    ours.map((one, i) => {
      const [a, b] = [one[figure], theirs[i]?.[figure] ?? NaN];
      return figure === "decodeRate" ? a / b : b / a;
    }),
  );
}

/** The first answers that differ; undefined when all are equal. */
export function firstDifference(
  ours: readonly Timed[],
  theirs: readonly Timed[],
): { readonly ours: string; readonly theirs: string } | undefined {
  const at = ours.findIndex(({ text }, i) => text.trim() !== theirs[i]?.text.trim());
  return at < 0 ? undefined : { ours: ours[at]?.text ?? "", theirs: theirs[at]?.text ?? "" };
}
