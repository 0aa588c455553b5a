// Bytes of a file on a server: by range, resumed where a connection broke, with retries. Knows no manifest and no storage.
import { EngineError } from "#engine/errors.ts";

export interface DownloadOptions {
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal | undefined;
  /** Tries without a single new byte before giving up; default 5. */
  readonly retries?: number;
  /** Milliseconds before try n (from 1); default doubles from 500. */
  readonly backoffMs?: (attempt: number) => number;
  /** Hears of every run of new bytes; of a negative one when bytes of a file that has changed are given up. */
  readonly onBytes?: (bytes: number) => void;
  /** Past every cache between here and the server, for bytes that turned out wrong. */
  readonly fresh?: boolean;
}

/** Bytes of a shard that have arrived so far; hand it to the next try to go on from there. */
export interface PartialShard {
  readonly bytes: Uint8Array<ArrayBuffer>;
  received: number;
  /** The server's tag of the file these bytes come from, where it gives one: another tag means another file. */
  etag?: string;
}

/** Fetches parts of one file, best in order; `close` after the last. */
export interface FileDownload {
  /** Fills `partial`, whose first byte lies at `offset` of the file; rejects with "network", "http", "integrity" or the signal's reason. */
  read(offset: number, partial: PartialShard): Promise<void>;
  close(): Promise<void>;
}

/** An empty shard to be filled; throws "out-of-memory" when there is no room for it. */
export function emptyShard(bytes: number): PartialShard {
  try {
    return { bytes: new Uint8Array(bytes), received: 0 };
  } catch (error) {
    throw new EngineError("out-of-memory", `no memory for a shard of ${bytes} bytes`, { cause: error });
  }
}

interface OpenBody {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  at: number;
  readonly end: number;
  rest: Uint8Array;
  readonly etag: string | undefined;
}

/** Opens no connection yet. A server without ranges sends the whole file once: it is read on from shard to shard. */
export function createFileDownload(url: string, fileBytes: number, options: DownloadOptions = {}): FileDownload {
  const { signal, retries = 5, backoffMs = (attempt) => 500 * 2 ** (attempt - 1), onBytes } = options;
  const send = options.fetch ?? fetch;
  /** An open body whose next byte is `at` and whose last is before `end`; `rest` are bytes read and not yet used. */
  let open: OpenBody | undefined;

  const close = async (): Promise<void> => {
    const { reader } = open ?? {};
    open = undefined;
    // The body may have failed already; what matters is that it is let go.
    await reader?.cancel().catch(() => undefined);
  };

  const request = async (offset: number, end: number): Promise<void> => {
    const whole = offset === 0 && end === fileBytes;
    const response = await send(url, {
      ...(whole ? {} : { headers: { range: `bytes=${offset}-${end - 1}` } }),
      ...(signal ? { signal } : {}),
      cache: options.fresh ? "reload" : "no-store",
    });
    const partial = response.status === 206;
    const at = partial ? rangeStart(response, offset) : 0;
    if (!response.ok || at > offset || !response.body) {
      await response.body?.cancel();
      throw httpError(url, response);
    }
    open = {
      reader: response.body.getReader(),
      at,
      end: partial ? end : fileBytes,
      rest: new Uint8Array(0),
      etag: response.headers.get("etag") ?? undefined,
    };
  };

  /** The next bytes at or after `open.at`; undefined at the end of the body. */
  const nextBytes = async (body: NonNullable<typeof open>): Promise<Uint8Array | undefined> => {
    if (body.rest.length > 0) return body.rest;
    const { done, value } = await body.reader.read();
    return done ? undefined : value;
  };

  const fill = async (offset: number, partial: PartialShard): Promise<void> => {
    const end = offset + partial.bytes.length;
    // What lies before the wanted byte in an open body is skipped; what lies behind needs a new one.
    if (open && open.at > offset + partial.received) await close();
    if (!open) await request(offset + partial.received, end);
    const body = open;
    if (!body) return;
    // Compared here instead of with If-Range, which servers of other origins would have to allow first.
    if (partial.received > 0 && partial.etag !== undefined && body.etag !== undefined && partial.etag !== body.etag) {
      onBytes?.(-partial.received);
      partial.received = 0;
      delete partial.etag;
      return fill(offset, partial);
    }
    if (body.etag !== undefined) partial.etag = body.etag;
    while (partial.received < partial.bytes.length) {
      const bytes = await nextBytes(body);
      if (!bytes) throw new EngineError("network", `${url} ended at byte ${body.at} of ${fileBytes}`);
      const wanted = offset + partial.received;
      const skip = Math.min(bytes.length, wanted - body.at);
      const take = bytes.subarray(skip, skip + partial.bytes.length - partial.received);
      partial.bytes.set(take, partial.received);
      partial.received += take.length;
      body.at += skip + take.length;
      body.rest = bytes.subarray(skip + take.length);
      if (take.length > 0) onBytes?.(take.length);
    }
    if (body.at === body.end) await finish(body);
  };

  /** Lets a body that has given everything end by itself: cancelling it would look like a failure to the browser. */
  const finish = async (body: NonNullable<typeof open>): Promise<void> => {
    if (body.rest.length === 0 && (await body.reader.read()).done) open = undefined;
    else await close();
  };

  return {
    async read(offset, partial) {
      for (let attempt = 1; partial.received < partial.bytes.length; attempt++) {
        const before = partial.received;
        try {
          await fill(offset, partial);
        } catch (error) {
          await close();
          signal?.throwIfAborted();
          const failure =
            error instanceof EngineError
              ? error
              : new EngineError("network", `${url}: ${String(error)}`, { cause: error });
          if (partial.received > before) attempt = 0;
          if (!isPassing(failure) || attempt > retries) throw failure;
          const wished = failure instanceof HttpError ? failure.retryAfterMs : 0;
          await pause(Math.max(wished, backoffMs(Math.max(1, attempt))), signal);
        }
      }
    },
    close,
  };
}

/** A server may ask for patience, but not for more than this. */
const longestWaitMs = 60_000;

class HttpError extends EngineError {
  readonly status: number;
  /** How long the server wants to be left alone. */
  readonly retryAfterMs: number;
  constructor(url: string, { status, headers }: Response) {
    super("http", `${url} answered with status ${status}`);
    this.status = status;
    const seconds = Number(headers.get("retry-after") ?? 0);
    this.retryAfterMs = Number.isFinite(seconds) ? Math.min(longestWaitMs, Math.max(0, seconds * 1000)) : 0;
  }
}

function httpError(url: string, response: Response): EngineError {
  if (response.status === 416) return new EngineError("integrity", `${url} is shorter than its manifest says`);
  return new HttpError(url, response);
}

/** Worth another try: broken connections and servers that are busy. */
function isPassing(error: EngineError): boolean {
  if (error instanceof HttpError) return error.status === 408 || error.status === 429 || error.status >= 500;
  return error.code === "network";
}

/** Where a 206 starts; a server that hides the header is trusted, the hash decides. */
function rangeStart(response: Response, offset: number): number {
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  return start === undefined ? offset : Number(start);
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
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
