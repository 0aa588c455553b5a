// One request for a range of a file, and whether the response fits it. Knows no retries and no shards.
import { EngineError } from "#engine/errors.ts";
import { HttpError } from "./request.ts";
import { openWatched, type WatchedResponse, type WatchOptions } from "./watched-fetch.ts";

/** The body of a response, and how far it has been read. */
export interface RangeBody {
  readonly response: WatchedResponse;
  /** The position in the file of the next byte. */
  at: number;
  /** Where the body ends, as far as the server says. */
  readonly end: number;
  /** Bytes of the shard that had arrived before this request. */
  readonly receivedBefore: number;
  /** Bytes that were read and not used yet. */
  rest: Uint8Array;
  readonly etag: string | undefined;
}

export interface RangeRequester {
  /** Responses in a row that did not fit the requested range. */
  readonly misfits: number;
  /** Requests the bytes from `offset` to `end` (exclusive). Rejects with HttpError, MisfitError, SilenceError, or the connection's error. */
  open(offset: number, end: number, receivedBefore: number): Promise<RangeBody>;
}

/** The response holds other bytes than those requested. That may pass, or the file is not the one that the manifest describes. */
export class MisfitError extends EngineError {
  constructor(message: string) {
    super("integrity", message);
  }
}

/** After this many misfits the whole file is requested, from which the range is cut. */
const misfitsBeforeWhole = 2;

/** With `fresh` requests go past every cache. */
export function createRangeRequester(
  url: string,
  fileBytes: number,
  fresh: boolean,
  options: WatchOptions,
): RangeRequester {
  let misfits = 0;
  return {
    get misfits() {
      return misfits;
    },
    async open(offset, end, receivedBefore) {
      const whole = (offset === 0 && end === fileBytes) || misfits >= misfitsBeforeWhole;
      const init = whole ? {} : { headers: { range: `bytes=${offset}-${end - 1}` } };
      const watched = await openWatched(url, { ...init, cache: fresh ? "reload" : "no-store" }, options);
      const { response } = watched;
      const partial = response.status === 206;
      const range = partial ? readContentRange(response) : undefined;
      const misfit = misfitOf(response, range, offset, fileBytes);
      if (!response.ok || misfit !== undefined || !response.body) {
        await watched.close();
        if (misfit === undefined) throw new HttpError(url, response);
        misfits++;
        throw new MisfitError(`${url}: asked for the bytes from ${offset}, the server ${misfit}`);
      }
      if (partial) misfits = 0;
      return {
        response: watched,
        // A server that does not say where its bytes start is trusted; the hash decides.
        at: range?.start ?? (partial ? offset : 0),
        end: range?.end ?? (partial ? end : fileBytes),
        receivedBefore,
        rest: new Uint8Array(0),
        etag: response.headers.get("etag") ?? undefined,
      };
    },
  };
}

interface ContentRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Bytes of the whole file; undefined where the server does not say. */
  readonly total: number | undefined;
}

/** Undefined where the header is not readable: other origins have to expose it. */
function readContentRange({ headers }: Response): ContentRange | undefined {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get("content-range")?.trim() ?? "") ?? [];
  if (first === undefined || last === undefined) return undefined;
  return { start: Number(first), end: Number(last) + 1, total: total === "*" ? undefined : Number(total) };
}

/** What is wrong with a response that should hold the byte at `offset` of a file of `fileBytes`; undefined when it fits. */
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
