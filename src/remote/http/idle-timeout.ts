// Timeouts for a server that sends nothing, and the events that report the wait. Knows no protocol: any byte counts, also a comment in
// an event stream.

/** Milliseconds unless the name says otherwise. */
export interface Timeouts {
  /** For the list of models: without a byte for this long the request is repeated. */
  readonly listMs: number;
  /** Requests for the list in all. */
  readonly listTries: number;
  /** After this long without a byte the wait is reported, and again every `noticeEveryMs`. */
  readonly noticeAfterMs: number;
  readonly noticeEveryMs: number;
  /** Until an answer's first chunk: prefill of a long prompt can take minutes, and without streaming the whole answer comes at once. */
  readonly firstChunkMs: number;
  /** Between two chunks of an answer. */
  readonly nextChunkMs: number;
  /** After the chunk with the finish reason: usage figures may follow, and some servers leave the connection open. */
  readonly afterFinishMs: number;
}

export const defaultTimeouts: Timeouts = {
  listMs: 15_000,
  listTries: 3,
  noticeAfterMs: 10_000,
  noticeEveryMs: 1000,
  firstChunkMs: 600_000,
  nextChunkMs: 120_000,
  afterFinishMs: 3000,
};

export interface WaitingEvent {
  readonly type: "waiting";
  /** How long nothing has arrived; 0 once something arrives again. */
  readonly silentMs: number;
}

/**
 * Waits for the promise and yields events about the wait; returns its value, or undefined after `limitMs`. Time in which the device slept or
 * the page was throttled does not count: bytes that arrived then could not be seen.
 */
export async function* withWaitingEvents<T>(
  promise: Promise<T>,
  limitMs: number,
  { noticeAfterMs, noticeEveryMs }: Timeouts,
): AsyncGenerator<WaitingEvent, T | undefined> {
  // A rejection reaches the caller through the race below; after a timeout it must not count as unhandled.
  promise.catch(() => undefined);
  const arrived = promise.then((value) => ({ value }));
  let silentMs = 0;
  let reported = false;
  for (;;) {
    const began = performance.now();
    const stepMs = Math.min(noticeEveryMs, limitMs - silentMs);
    const result = await withTimeout(arrived, stepMs);
    if (result !== undefined) {
      if (reported) yield { type: "waiting", silentMs: 0 };
      return result.value;
    }
    silentMs += Math.min(performance.now() - began, 2 * stepMs);
    if (silentMs >= limitMs) return undefined;
    if (silentMs < noticeAfterMs) continue;
    reported = true;
    yield { type: "waiting", silentMs };
  }
}

/** The promise's value, or undefined when it takes longer than `ms`. */
export async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
