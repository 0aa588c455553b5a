// How fast bytes come, over the last seconds, and how long the rest takes. Knows no network.

/** Long enough to even out blocks, short enough to follow a change. */
const windowMs = 10_000;

export interface Pace {
  readonly bytesPerSecond: number | undefined;
  readonly secondsLeft: number | undefined;
}

/** `now` is replaced in tests. */
export function createPace(now: () => number = () => performance.now()) {
  const seen: { readonly at: number; readonly fetched: number }[] = [];
  return {
    /** Undefined until a second has been seen. */
    of({ fetched, toFetch }: { readonly fetched: number; readonly toFetch: number }): Pace {
      const at = now();
      seen.push({ at, fetched });
      while (seen.length > 2 && at - (seen[0]?.at ?? at) > windowMs) seen.shift();
      const first = seen[0];
      if (!first || at - first.at < 1000 || fetched <= first.fetched)
        return { bytesPerSecond: undefined, secondsLeft: undefined };
      const bytesPerSecond = ((fetched - first.fetched) * 1000) / (at - first.at);
      return { bytesPerSecond, secondsLeft: Math.max(0, toFetch - fetched) / bytesPerSecond };
    },
  };
}
