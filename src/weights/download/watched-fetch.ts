// A request that does not wait for ever: where no byte comes for a while, it ends with a SilenceError. Knows no retries and no files.
import { EngineError } from "#engine/errors.ts";

/** So long a server may send nothing; a connection that stands still gives no other sign. */
export const longestSilenceMs = 15_000;

/** After so many silences in a row whoever waits is told. */
export const silencesToTell = 3;

/** Tells the time; a test hands in one that runs faster. */
export interface Clock {
  /** Calls back once; returns how to call it off. */
  after(milliseconds: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** The connection is open, or seems to be, and nothing comes. */
export class SilenceError extends EngineError {
  constructor(url: string) {
    super("network", `${url} has sent nothing for ${longestSilenceMs / 1000} s`);
  }
}

export interface WatchedResponse {
  readonly response: Response;
  /** The next run of bytes; undefined at the end. Rejects with a SilenceError, or with what the connection failed with. */
  next(): Promise<Uint8Array | undefined>;
  /** Lets the connection go; never rejects. */
  close(): Promise<void>;
}

export interface WatchOptions {
  readonly fetch?: typeof fetch | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/** Resolves when the server answers; rejects with a SilenceError, the signal's reason, or the connection's failure. */
export async function openWatched(url: string, init: RequestInit, options: WatchOptions): Promise<WatchedResponse> {
  const { clock = systemClock, signal } = options;
  const send = options.fetch ?? fetch;
  const giveUp = new AbortController();
  const watched = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const callOff = clock.after(longestSilenceMs, () => {
        const silence = new SilenceError(url);
        reject(silence);
        giveUp.abort(silence);
      });
      work.finally(callOff).then(resolve, reject);
    });
  const response = await watched(
    send(url, { ...init, signal: signal ? AbortSignal.any([signal, giveUp.signal]) : giveUp.signal }),
  );
  const reader = response.body?.getReader();
  return {
    response,
    async next() {
      if (!reader) return undefined;
      const { done, value } = await watched(reader.read());
      return done ? undefined : value;
    },
    async close() {
      // The body may have failed already; what matters is that it is let go.
      await reader?.cancel().catch(() => undefined);
    },
  };
}
