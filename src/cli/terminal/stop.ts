// How long tasks end on a signal: the first one stops the task, which removes what it had half written; a second one, or a
// task that does not hear, ends the process at once.
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const patienceMs = 3000;

let stop: { readonly abort: AbortController; readonly end: () => void } | undefined;

/** The process's AbortSignal, which aborts on SIGINT or SIGTERM; its reason is the sentence that ends the command, of the first call. */
export function stopOnSignals(sentence = "stopped; nothing was written"): AbortSignal {
  stop ??= listen(sentence);
  return stop.abort.signal;
}

/** Leaves signals to others: the long task is done. */
export function ignoreSignals(): void {
  stop?.end();
  stop = undefined;
}

function listen(sentence: string): NonNullable<typeof stop> {
  const abort = new AbortController();
  const ends = signals.map((signal) => {
    const onSignal = (): void => {
      const code = 128 + constants.signals[signal];
      if (abort.signal.aborted) process.exit(code);
      process.exitCode = code;
      abort.abort(new Error(sentence));
      setTimeout(() => process.exit(code), patienceMs).unref();
    };
    process.on(signal, onSignal);
    return () => process.off(signal, onSignal);
  });
  return { abort, end: () => ends.forEach((end) => end()) };
}
