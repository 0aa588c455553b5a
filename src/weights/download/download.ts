// Bytes of a file on a server: by range, resumed where a connection broke, with retries. Knows no manifest and no storage.
import { EngineError } from "#engine/errors.ts";
import { HttpError, isPassingStatus, pause } from "./request.ts";
import { openWatched, SilenceError, type Clock, type WatchedResponse } from "./watched-fetch.ts";

export interface DownloadOptions {
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal | undefined;
  /** Tries without a single new byte before giving up; default 5. */
  readonly retries?: number;
  /** Silences in a row before giving up; default 12. */
  readonly mostSilences?: number;
  /** Milliseconds before try n (from 1); default doubles from 500. */
  readonly backoffMs?: (attempt: number) => number;
  /** Hears of every run of new bytes; of a negative one when bytes of a file that has changed are given up. */
  readonly onBytes?: (bytes: number) => void;
  /** Hears how often in a row nothing came for a while; it is asked again each time. */
  readonly onSilence?: (times: number) => void;
  /** Tells how long nothing has come. */
  readonly clock?: Clock;
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
  readonly answer: WatchedResponse;
  at: number;
  /** Where the answer ends, as far as the server tells. */
  readonly end: number;
  /** Bytes of the shard that were here before. */
  readonly receivedBefore: number;
  rest: Uint8Array;
  readonly etag: string | undefined;
}

/** Fewer bytes than these between two silences do not count as a connection that works. */
const worthwhileBytes = 64 * 2 ** 10;
/** Servers of one name may each tag the same file in their own way: after so many changes the hash alone decides. */
const mostTagChanges = 3;
/** After so many answers to a range that do not fit it the whole file is asked for, from which the shard is cut. */
const refusalsToAskWhole = 2;

/** Opens no connection yet. A server without ranges sends the whole file once: it is read on from shard to shard. */
export function createFileDownload(url: string, fileBytes: number, options: DownloadOptions = {}): FileDownload {
  const { signal, retries = 5, backoffMs = (attempt) => 500 * 2 ** (attempt - 1), onBytes, onSilence } = options;
  // A connection that stands still is asked again more often than one that breaks: nobody has said no.
  const { mostSilences = 12 } = options;
  /** An open body whose next byte is `at` and whose last is before `end`; `rest` are bytes read and not yet used. */
  let open: OpenBody | undefined;
  /** Answers that did not fit the range that was asked for. */
  let refusals = 0;
  let tagChanges = 0;

  const close = async (): Promise<void> => {
    const { answer } = open ?? {};
    open = undefined;
    await answer?.close();
  };

  const request = async (offset: number, end: number, receivedBefore: number): Promise<OpenBody> => {
    const whole = (offset === 0 && end === fileBytes) || refusals >= refusalsToAskWhole;
    const init = whole ? {} : { headers: { range: `bytes=${offset}-${end - 1}` } };
    const answer = await openWatched(url, { ...init, cache: options.fresh ? "reload" : "no-store" }, options);
    const { response } = answer;
    const partial = response.status === 206;
    const range = partial ? readContentRange(response) : undefined;
    const misfit = misfitOf(response, range, offset, fileBytes);
    if (!response.ok || misfit !== undefined || !response.body) {
      await answer.close();
      if (misfit === undefined) throw new HttpError(url, response);
      refusals++;
      throw new MisfitError(`${url}: asked for the bytes from ${offset}, the server ${misfit}`);
    }
    if (partial) refusals = 0;
    return {
      answer,
      // A server that hides where its answer starts is trusted, the hash decides.
      at: range?.start ?? (partial ? offset : 0),
      end: range?.end ?? (partial ? end : fileBytes),
      receivedBefore,
      rest: new Uint8Array(0),
      etag: response.headers.get("etag") ?? undefined,
    };
  };

  /** The next bytes at or after `open.at`; undefined at the end of the body. */
  const nextBytes = async (body: OpenBody): Promise<Uint8Array | undefined> =>
    body.rest.length > 0 ? body.rest : body.answer.next();

  const fill = async (offset: number, partial: PartialShard): Promise<void> => {
    const end = offset + partial.bytes.length;
    while (partial.received < partial.bytes.length) {
      // What lies before the wanted byte in an open body is skipped; what lies behind needs a new one.
      if (open && open.at > offset + partial.received) await close();
      const body = (open ??= await request(offset + partial.received, end, partial.received));
      // Compared here instead of with If-Range, which servers of other origins would have to allow first.
      if (partial.received > 0 && areOfOtherFiles(partial, body) && tagChanges < mostTagChanges) {
        tagChanges++;
        onBytes?.(-partial.received);
        partial.received = 0;
        delete partial.etag;
        continue;
      }
      if (body.etag !== undefined) partial.etag = body.etag;
      const bytes = body.at < body.end || body.rest.length > 0 ? await nextBytes(body) : undefined;
      if (!bytes) await goOnAfter(body, partial);
      else takeBytes(body, bytes, offset, partial);
    }
    if (open && open.at === open.end) await finish(open);
  };

  const takeBytes = (body: OpenBody, bytes: Uint8Array, offset: number, partial: PartialShard): void => {
    const skip = Math.min(bytes.length, offset + partial.received - body.at);
    const take = bytes.subarray(skip, skip + partial.bytes.length - partial.received);
    partial.bytes.set(take, partial.received);
    partial.received += take.length;
    body.at += skip + take.length;
    body.rest = bytes.subarray(skip + take.length);
    if (take.length > 0) onBytes?.(take.length);
  };

  /** Servers may give less than they were asked for: the rest is asked for at once, as long as each answer brings something. */
  const goOnAfter = async (body: OpenBody, partial: PartialShard): Promise<void> => {
    if (body.at === body.end) await finish(body);
    else await close();
    if (partial.received > body.receivedBefore) return;
    const ended = `${url} ended at byte ${body.at} of ${fileBytes}`;
    throw refusals > 0 ? new EngineError("integrity", ended) : new EngineError("network", ended);
  };

  /** Lets a body that has given everything end by itself: cancelling it would look like a failure to the browser. */
  const finish = async (body: OpenBody): Promise<void> => {
    if (body.rest.length === 0 && (await body.answer.next()) === undefined) open = undefined;
    else await close();
  };

  return {
    async read(offset, partial) {
      let silences = 0;
      let failures = 0;
      while (partial.received < partial.bytes.length) {
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
          const came = partial.received - before;
          failures = came > 0 ? 0 : failures + 1;
          if (came > worthwhileBytes) silences = 0;
          if (failure instanceof SilenceError) {
            silences++;
            onSilence?.(silences);
            if (silences >= mostSilences) throw failure;
            continue;
          }
          if (!isPassing(failure) || failures > retries) throw failure;
          const wished = failure instanceof HttpError ? failure.retryAfterMs : 0;
          await pause(Math.max(wished, backoffMs(Math.max(1, failures))), signal);
        }
      }
    },
    close,
  };
}

function areOfOtherFiles(one: { readonly etag?: string | undefined }, other: typeof one): boolean {
  return one.etag !== undefined && other.etag !== undefined && one.etag !== other.etag;
}

/** The server's answer is of other bytes than those that were asked for; that passes, or the file is not what its manifest says. */
class MisfitError extends EngineError {
  constructor(message: string) {
    super("integrity", message);
  }
}

/** Worth another try: broken connections, servers that are busy, and answers of other bytes. */
function isPassing(error: EngineError): boolean {
  if (error instanceof HttpError) return isPassingStatus(error);
  return error.code === "network" || error instanceof MisfitError;
}

interface ContentRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Of the whole file; undefined where the server does not know it. */
  readonly total: number | undefined;
}

/** Undefined where a server hides it, which those of other origins do unless they are told otherwise. */
function readContentRange({ headers }: Response): ContentRange | undefined {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get("content-range")?.trim() ?? "") ?? [];
  if (first === undefined || last === undefined) return undefined;
  return { start: Number(first), end: Number(last) + 1, total: total === "*" ? undefined : Number(total) };
}

/** What is wrong with an answer that should hold the byte at `offset` of a file of so many bytes; undefined when it fits. */
function misfitOf(
  { status, headers }: Response,
  range: ContentRange | undefined,
  offset: number,
  fileBytes: number,
): string | undefined {
  if (status === 416) return "says that it has no such bytes";
  if (status !== 206) return undefined;
  if (headers.get("content-type")?.startsWith("multipart/") === true) return "sent several parts";
  if (range === undefined) return undefined;
  const { start, end, total } = range;
  if (start > offset || end <= offset) return `sent those from ${start} to ${end}`;
  if (total !== undefined && total !== fileBytes) return `has a file of ${total} bytes instead of ${fileBytes}`;
  return undefined;
}
