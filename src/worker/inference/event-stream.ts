// A call that hands events to a callback, as an async iterable. Knows no worker.

/**
 * The events of the call in order. Ends when its promise does, and throws what it rejects with. Leaving the loop early stops the call,
 * and has waited for its end when the loop is left.
 */
export async function* eventStream<E>(
  call: (onEvent: (event: E) => void) => Promise<void>,
  stop: () => void,
): AsyncGenerator<E, void> {
  const events: E[] = [];
  let wake = (): void => undefined;
  let outcome: { readonly error?: unknown } | undefined;
  // Read through a function: it changes in callbacks, which the compiler does not follow.
  const ended = (): typeof outcome => outcome;
  const finished = call((event) => {
    events.push(event);
    wake();
  })
    .then(
      () => (outcome = {}),
      (error: unknown) => (outcome = { error }),
    )
    .finally(() => wake());
  try {
    for (;;) {
      const event = events.shift();
      if (event) yield event;
      else if (ended()) break;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    const end = ended();
    if (end && "error" in end) throw end.error;
  } finally {
    if (!ended()) stop();
    await finished;
  }
}
