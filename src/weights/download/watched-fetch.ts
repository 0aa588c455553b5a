// A fetch with an idle timeout: where no byte arrives for a while it fails with a SilenceError. Knows no retries and no files.
import { EngineError } from "#engine/errors.ts";

/** The idle timeout. A stalled connection shows in no other way. */
const longestSilenceMs = 15_000;

/** After this many silences in a row the user is told. */
export const silencesToTell = 3;

/** Calls back after a time; tests pass one that they control. */
export interface Clock {
  /** Calls back once; returns a function that cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
}

const systemClock: Clock = {
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** The connection is open, or seems to be, and no byte arrives. */
export class SilenceError extends EngineError {
  constructor(url: string) {
    super("network", `${url} has sent nothing for ${longestSilenceMs / 1000} s`);
  }
}

export interface WatchedResponse {
  readonly response: Response;
  /** The next bytes; undefined at the end. Rejects with a SilenceError, or with the connection's error. */
  next(): Promise<Uint8Array | undefined>;
  /** Ends the connection; never rejects. */
  close(): Promise<void>;
}

export interface WatchOptions {
  readonly fetch?: typeof fetch | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/** Resolves with the response's headers; rejects with a SilenceError, the signal's reason, or the connection's error. */
export async function openWatched(url: string, init: RequestInit, options: WatchOptions): Promise<WatchedResponse> {
  const { clock = systemClock, signal } = options;
  const send = options.fetch ?? fetch;
  const silent = new AbortController();
  const watched = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const cancel = clock.after(longestSilenceMs, () => {
        const silence = new SilenceError(url);
        reject(silence);
        silent.abort(silence);
      });
      work.finally(cancel).then(resolve, reject);
    });
  const response = await watched(
    send(url, { ...init, signal: signal ? AbortSignal.any([signal, silent.signal]) : silent.signal }),
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
      // Rejects where the body has failed already.
      await reader?.cancel().catch(() => undefined);
    },
  };
}
