// Downloads parts of a file by range, resumes where a connection broke, and retries. Knows no manifest and no storage.
import { EngineError } from "#engine/errors.ts";
import { createRangeRequester, MisfitError, type RangeBody } from "./range-request.ts";
import { HttpError, isPassingStatus, pause, toEngineError } from "./request.ts";
import { SilenceError, type Clock } from "./watched-fetch.ts";

export interface DownloadOptions {
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal | undefined;
  /** Tries in a row without a new byte before giving up; default 5. */
  readonly retries?: number;
  /** Silences in a row before giving up; default 12, more than retries, because a stalled connection has not refused anything. */
  readonly mostSilences?: number;
  /** Milliseconds before try n (from 1); default doubles from 500. */
  readonly backoffMs?: (attempt: number) => number;
  /** Called for every run of new bytes; with a negative number when bytes of a file that has changed are discarded. */
  readonly onBytes?: (bytes: number) => void;
  /** Called with the number of silences in a row, before the request is repeated. */
  readonly onSilence?: (times: number) => void;
  /** Measures silences. */
  readonly clock?: Clock;
  /** Requests go past every cache, for bytes that turned out wrong. */
  readonly fresh?: boolean;
}

/** Bytes of a shard that have arrived so far; pass it to the next try to resume. */
export interface PartialShard {
  readonly bytes: Uint8Array<ArrayBuffer>;
  received: number;
  /** The server's etag of the file that these bytes come from; another etag means another version of the file. */
  etag?: string;
}

/** Fetches parts of one file, best in order; `close` after the last. */
export interface FileDownload {
  /** Fills `partial`, whose first byte lies at `offset` of the file; rejects with "network", "http", "integrity" or the signal's reason. */
  read(offset: number, partial: PartialShard): Promise<void>;
  close(): Promise<void>;
}

/** An empty shard to be filled; throws "out-of-memory" when there is no memory for it. */
export function emptyShard(bytes: number): PartialShard {
  try {
    return { bytes: new Uint8Array(bytes), received: 0 };
  } catch (error) {
    throw new EngineError("out-of-memory", `no memory for a shard of ${bytes} bytes`, { cause: error });
  }
}

/** Fewer bytes than this between two silences do not count as a connection that works. */
const worthwhileBytes = 64 * 2 ** 10;
/** Mirrors behind one name may each have their own etag for the same file: after this many changes the hash alone decides. */
const maxEtagChanges = 3;

/** Opens no connection yet. A server without ranges sends the whole file once, which is read on from shard to shard. */
export function createFileDownload(url: string, fileBytes: number, options: DownloadOptions = {}): FileDownload {
  const { onBytes, fresh = false } = options;
  const requester = createRangeRequester(url, fileBytes, fresh, options);
  let open: RangeBody | undefined;
  let etagChanges = 0;

  const close = async (): Promise<void> => {
    const { response } = open ?? {};
    open = undefined;
    await response?.close();
  };

  /** Lets a body that has given every byte end by itself: cancelling it would look like a failure to the browser. */
  const finish = async (body: RangeBody): Promise<void> => {
    if (body.rest.length === 0 && (await body.response.next()) === undefined) open = undefined;
    else await close();
  };

  /** Servers may send less than requested: the rest is requested at once, as long as each response brings something. */
  const continueAfter = async (body: RangeBody, partial: PartialShard): Promise<void> => {
    if (body.at === body.end) await finish(body);
    else await close();
    if (partial.received > body.receivedBefore) return;
    const ended = `${url} ended at byte ${body.at} of ${fileBytes}`;
    throw requester.misfits > 0 ? new EngineError("integrity", ended) : new EngineError("network", ended);
  };

  const fill = async (offset: number, partial: PartialShard): Promise<void> => {
    const end = offset + partial.bytes.length;
    while (partial.received < partial.bytes.length) {
      // Bytes of an open body before the wanted one are skipped; a body that starts behind it is of no use.
      if (open && open.at > offset + partial.received) await close();
      const body = (open ??= await requester.open(offset + partial.received, end, partial.received));
      // Compared here, not with If-Range, for which a server of another origin would have to allow a preflight.
      if (partial.received > 0 && isOfOtherVersion(partial, body) && etagChanges < maxEtagChanges) {
        etagChanges++;
        onBytes?.(-partial.received);
        partial.received = 0;
        delete partial.etag;
        continue;
      }
      if (body.etag !== undefined) partial.etag = body.etag;
      const bytes = await nextBytes(body);
      if (!bytes) {
        await continueAfter(body, partial);
        continue;
      }
      const taken = takeBytes(body, bytes, offset, partial);
      if (taken > 0) onBytes?.(taken);
    }
    if (open && open.at === open.end) await finish(open);
  };

  return { read: (offset, partial) => retry(url, partial, options, () => fill(offset, partial), close), close };
}

/** The next bytes at or after `body.at`; undefined at the end of the body. */
async function nextBytes(body: RangeBody): Promise<Uint8Array | undefined> {
  if (body.rest.length > 0) return body.rest;
  return body.at < body.end ? body.response.next() : undefined;
}

/** Copies what the shard lacks of `bytes`, which start at `body.at`; returns how many bytes were copied. */
function takeBytes(body: RangeBody, bytes: Uint8Array, offset: number, partial: PartialShard): number {
  const skip = Math.min(bytes.length, offset + partial.received - body.at);
  const take = bytes.subarray(skip, skip + partial.bytes.length - partial.received);
  partial.bytes.set(take, partial.received);
  partial.received += take.length;
  body.at += skip + take.length;
  body.rest = bytes.subarray(skip + take.length);
  return take.length;
}

/** Calls `fill` until the shard is whole; `close` after each failure. Rejects when the server stays silent or keeps failing. */
async function retry(
  url: string,
  partial: PartialShard,
  options: DownloadOptions,
  fill: () => Promise<void>,
  close: () => Promise<void>,
): Promise<void> {
  const { signal, retries = 5, mostSilences = 12, onSilence } = options;
  const { backoffMs = (attempt: number) => 500 * 2 ** (attempt - 1) } = options;
  let silences = 0;
  let failures = 0;
  while (partial.received < partial.bytes.length) {
    const before = partial.received;
    try {
      await fill();
    } catch (error) {
      await close();
      signal?.throwIfAborted();
      const failure = toEngineError(url, error);
      const arrived = partial.received - before;
      failures = arrived > 0 ? 0 : failures + 1;
      if (arrived > worthwhileBytes) silences = 0;
      if (failure instanceof SilenceError) {
        silences++;
        onSilence?.(silences);
        if (silences >= mostSilences) throw failure;
        continue;
      }
      if (!isPassing(failure) || failures > retries) throw failure;
      const retryAfterMs = failure instanceof HttpError ? failure.retryAfterMs : 0;
      await pause(Math.max(retryAfterMs, backoffMs(Math.max(1, failures))), signal);
    }
  }
}

function isOfOtherVersion(one: { readonly etag?: string | undefined }, other: typeof one): boolean {
  return one.etag !== undefined && other.etag !== undefined && one.etag !== other.etag;
}

/** Worth another try: broken connections, busy servers, and responses of other bytes. */
function isPassing(error: EngineError): boolean {
  if (error instanceof HttpError) return isPassingStatus(error);
  return error.code === "network" || error instanceof MisfitError;
}
