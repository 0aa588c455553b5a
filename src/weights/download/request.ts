// Reads one small file whole; the request is repeated where the server is silent or busy. Knows no manifest and no ranges.
import { EngineError } from "#engine/errors.ts";
import { openWatched, SilenceError, silencesToTell, type Clock, type WatchedResponse } from "./watched-fetch.ts";

export interface RequestOptions {
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** Milliseconds before try n (from 1) of a busy server; default doubles from 500. */
  readonly backoffMs?: (attempt: number) => number;
  /** Called with the number of silences in a row. */
  readonly onSilence?: ((times: number) => void) | undefined;
  /** Requests in all; default 3. */
  readonly tries?: number;
}

/** Manifests, listings, configs and tokenizers are shorter. */
const longestBytes = 64 * 2 ** 20;

/** The bytes at the address; rejects with "network", "http", or the signal's reason. */
export async function requestBytes(
  url: string,
  options: RequestOptions,
  cache: RequestCache,
): Promise<Uint8Array<ArrayBuffer>> {
  return (await ask(url, { cache }, longestBytes, options)).bytes;
}

/**
 * The response to any request as a Blob with the server's content type; "silent" when nothing arrived at any try. Rejects like
 * `requestBytes`, and with "bad-package" for more than `mostBytes`.
 */
export async function requestBlob(
  url: string,
  init: RequestInit,
  mostBytes: number,
  options: RequestOptions = {},
): Promise<Blob | "silent"> {
  try {
    const { bytes, type } = await ask(url, init, mostBytes, options);
    return new Blob([bytes], { type });
  } catch (error) {
    if (error instanceof SilenceError) return "silent";
    throw error;
  }
}

interface Content {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

async function ask(url: string, init: RequestInit, mostBytes: number, options: RequestOptions): Promise<Content> {
  const { signal, tries = silencesToTell, backoffMs = (attempt) => 500 * 2 ** (attempt - 1), onSilence } = options;
  let silences = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(url, init, mostBytes, options);
    } catch (error) {
      signal?.throwIfAborted();
      const failure = toEngineError(url, error);
      if (failure instanceof SilenceError) {
        silences++;
        onSilence?.(silences);
      }
      const passing = failure instanceof SilenceError || (failure instanceof HttpError && isPassingStatus(failure));
      if (!passing || attempt >= tries) throw failure;
      if (failure instanceof HttpError) await pause(Math.max(failure.retryAfterMs, backoffMs(attempt)), signal);
    }
  }
}

async function readOnce(url: string, init: RequestInit, mostBytes: number, options: RequestOptions): Promise<Content> {
  const answer = await openWatched(url, init, options);
  if (!answer.response.ok) {
    await answer.close();
    throw new HttpError(url, answer.response);
  }
  return {
    bytes: await readWhole(url, answer, mostBytes),
    type: answer.response.headers.get("content-type") ?? "",
  };
}

async function readWhole(url: string, answer: WatchedResponse, mostBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const runs: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const run = await answer.next();
    if (!run) break;
    bytes += run.length;
    if (bytes > mostBytes) {
      await answer.close();
      throw new EngineError("bad-package", `${url} has more than ${mostBytes} bytes: too many`);
    }
    runs.push(run);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const run of runs) {
    whole.set(run, at);
    at += run.length;
  }
  return whole;
}

/** Longer Retry-After times are cut to this. */
const maxRetryAfterMs = 60_000;

/** A failure of the request or of the connection as "network"; EngineErrors stay as they are. */
export function toEngineError(url: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError("network", `${url}: ${String(error)}`, { cause: error });
}

/** A response whose status is no success. */
export class HttpError extends EngineError {
  readonly status: number;
  /** The server's Retry-After; 0 where it sends none. */
  readonly retryAfterMs: number;
  constructor(url: string, { status, headers }: Pick<Response, "status" | "headers">) {
    super("http", `${url} answered with status ${status}`);
    this.status = status;
    const seconds = Number(headers.get("retry-after") ?? 0);
    this.retryAfterMs = Number.isFinite(seconds) ? Math.min(maxRetryAfterMs, Math.max(0, seconds * 1000)) : 0;
  }
}

/** Whether the status means that the server is busy, so that another try is worthwhile. */
export function isPassingStatus({ status }: HttpError): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Resolves after the time; rejects with the signal's reason as soon as it aborts. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new DOMException("stopped", "AbortError"));
    };
    function done(): void {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}
