// How long tasks end on a signal: the first one stops the task, which removes what it had half written; a second one, or a
// task that does not hear, ends the process at once.
import { constants } from "node:os";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const patienceMs = 3000;

let stop: AbortController | undefined;

/** The process's AbortSignal, which aborts on SIGINT or SIGTERM; its reason is the sentence that ends the command. */
export function stopOnSignals(): AbortSignal {
  stop ??= listen();
  return stop.signal;
}

function listen(): AbortController {
  const stop = new AbortController();
  for (const signal of signals) {
    process.on(signal, () => {
      const code = 128 + constants.signals[signal];
      if (stop.signal.aborted) process.exit(code);
      process.exitCode = code;
      stop.abort(new Error("stopped; nothing was written"));
      setTimeout(() => process.exit(code), patienceMs).unref();
    });
  }
  return stop;
}
