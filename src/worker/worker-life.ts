// Whether a worker is still alive, and what happens to pending calls when it is not: without this, a call to a dead worker would wait for
// ever. Knows no calls and no wire.
import { EngineError } from "#engine/errors.ts";
import { hasLocks, whenReleased } from "./worker-lock.ts";

/** The part of a Worker that is needed to notice its death and to end it. */
export type WorkerLike = Pick<Worker, "addEventListener" | "terminate">;

export interface WorkerLife {
  /** Why it is dead, or undefined while it lives. */
  readonly cause: Error | undefined;
  /** The promise, or a rejection as soon as the worker dies. */
  guard<T>(work: Promise<T>): Promise<T>;
  /** Like guard; the worker also counts as dead after `silenceMs` in which neither an event nor an answer to `ping` came. */
  watch<T>(work: Promise<T>, ping: () => Promise<void>, silenceMs: number): Promise<T>;
  /** Notes a sign of life: an event came from the worker. */
  heard(): void;
  /** Terminates it; what is pending rejects with `cause`. Does nothing the second time. */
  end(cause?: Error): void;
}

/**
 * Watches one worker; `onDeath` is called when it dies without having been ended. `holdLock` makes the worker hold a lock of that name.
 * Longer than most functions: a closure over one cause of death.
 */
export function watchWorker(
  worker: WorkerLike,
  onDeath: (error: EngineError) => void,
  holdLock?: (name: string) => Promise<void>,
): WorkerLife {
  const pending = new Set<(cause: Error) => void>();
  let cause: Error | undefined;
  let lastHeardAt = Date.now();
  const ended = new AbortController();

  const end = (reason: Error): void => {
    if (cause) return;
    cause = reason;
    worker.terminate();
    ended.abort();
    for (const reject of pending) reject(reason);
    pending.clear();
  };
  const die = (message: string): void => {
    if (cause) return;
    const error = new EngineError("worker-dead", message);
    end(error);
    onDeath(error);
  };
  worker.addEventListener("error", (event) => {
    const { message } = event;
    // A script that could not be fetched gives a plain event without a message.
    die(message ? `the worker failed: ${message}` : "the worker could not start");
  });
  worker.addEventListener("messageerror", () => die("a message from the worker could not be read"));

  if (holdLock && hasLocks()) {
    const lock = `llava-worker/${crypto.randomUUID()}`;
    // A worker that never gets to hold it is noticed in another way.
    holdLock(lock).then(
      () => whenReleased(lock, ended.signal, () => die("the worker ended without a word")),
      () => undefined,
    );
  }

  const guard = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (cause) {
        work.catch(() => undefined); // It can only fail now, and its caller has been rejected already.
        return reject(cause);
      }
      pending.add(reject);
      work.then(resolve, reject).finally(() => pending.delete(reject));
    });

  return {
    get cause() {
      return cause;
    },
    guard,
    async watch(work, ping, silenceMs) {
      lastHeardAt = Date.now();
      let asked = false;
      const everyMs = silenceMs / 8;
      let tickedAt = lastHeardAt;
      const timer = setInterval(() => {
        // While the machine slept, or the browser froze the page, the worker stood still as well: that was no silence.
        const late = Date.now() - tickedAt - everyMs;
        tickedAt = Date.now();
        if (late > everyMs) lastHeardAt = Math.min(lastHeardAt + late, tickedAt);
        if (Date.now() - lastHeardAt > silenceMs) return die(`the worker has been silent for ${silenceMs} ms`);
        if (asked) return;
        asked = true;
        guard(ping()).then(
          () => {
            asked = false;
            lastHeardAt = Date.now();
          },
          () => undefined, // The worker died, which the watched call reports.
        );
      }, everyMs);
      try {
        return await guard(work);
      } finally {
        clearInterval(timer);
      }
    },
    heard() {
      lastHeardAt = Date.now();
    },
    end: (reason = new EngineError("worker-dead", "the worker was ended")) => end(reason),
  };
}
