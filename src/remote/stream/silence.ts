// How long nothing may come from a server, and the clock that tells. Knows no protocol: any byte is life, a comment of a stream too.

/** All in milliseconds. */
export interface Patience {
  /** For a list of models: so long without a byte, then it is asked again, so many times in all. */
  readonly listMs: number;
  readonly listTries: number;
  /** From then on the page says that the server is silent, and again after every `tellEveryMs`. */
  readonly tellAfterMs: number;
  readonly tellEveryMs: number;
  /** Before an answer's first words: a slow server reads a long prompt for minutes, and one that does not stream says nothing before its end. */
  readonly firstMs: number;
  /** Between two pieces of an answer. */
  readonly betweenMs: number;
  /** After the piece that ends an answer: its figures may follow, and some servers leave the connection open. */
  readonly lastMs: number;
}

export const patience: Patience = {
  listMs: 15_000,
  listTries: 3,
  tellAfterMs: 10_000,
  tellEveryMs: 1000,
  firstMs: 600_000,
  betweenMs: 120_000,
  lastMs: 3000,
};

/** Nothing came for so long; 0: something came again. */
export interface Silence {
  readonly type: "waiting";
  readonly silentMs: number;
}

/**
 * Waits for the promise and tells of the silence meanwhile; the result is undefined after `limitMs`. Time in which the device slept
 * or the page was held back does not count: what came in it could not be seen.
 */
export async function* waitFor<T>(
  promise: Promise<T>,
  limitMs: number,
  { tellAfterMs, tellEveryMs }: Patience,
): AsyncGenerator<Silence, T | undefined> {
  // The last word on it is the race's; where the race is over, nobody minds any more.
  promise.catch(() => undefined);
  const arrived = promise.then((value) => ({ value }));
  let silentMs = 0;
  let told = false;
  for (;;) {
    const began = performance.now();
    const stepMs = Math.min(tellEveryMs, limitMs - silentMs);
    const result = await raced(arrived, stepMs);
    if (result !== undefined) {
      if (told) yield { type: "waiting", silentMs: 0 };
      return result.value;
    }
    silentMs += Math.min(performance.now() - began, 2 * stepMs);
    if (silentMs >= limitMs) return undefined;
    if (silentMs < tellAfterMs) continue;
    told = true;
    yield { type: "waiting", silentMs };
  }
}

/** The promise's value, or undefined when it takes longer. */
export async function raced<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
