// Both ends of a thread that reads ranges: in a heap of its own the many small pieces in which bytes arrive are cheap to collect, where the
// converter's heap would be gone through for every 64 MB. Messages are plain data; reads overlap and are answered as they end.
import { EngineError, errorCodeOf, type ErrorCode } from "#engine/errors.ts";
import { HttpError } from "#weights/download/request.ts";
import { rangesHere, type RangeAnswer, type RangeCall, type RangeReader } from "./range-reader.ts";

/** To the thread. */
export type RangeOrder =
  { readonly id: number; readonly call: RangeCall } | { readonly id: number; readonly call: "stop" };

/** From the thread. */
export type RangeNews =
  | { readonly id: number; readonly kind: "read"; readonly answer: RangeAnswer }
  | { readonly id: number; readonly kind: "silence"; readonly times: number }
  | { readonly id: number; readonly kind: "failed"; readonly failure: Failure };

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly http: { readonly url: string; readonly status: number } | undefined;
}

/** The thread's end: what to do with each message. */
export function serveRanges(
  post: (news: RangeNews, taken: readonly ArrayBuffer[]) => void,
  reader: RangeReader = rangesHere(),
): (order: RangeOrder) => void {
  const reading = new Map<number, AbortController>();
  const read = async (id: number, call: RangeCall, abort: AbortController): Promise<void> => {
    const onSilence = (times: number): void => post({ id, kind: "silence", times }, []);
    try {
      const answer = await reader.read(call, { signal: abort.signal, onSilence });
      post({ id, kind: "read", answer }, [answer.bytes.buffer]);
    } catch (error) {
      const http = error instanceof HttpError ? { url: call.url, status: error.status } : undefined;
      const message = error instanceof Error ? error.message : String(error);
      post({ id, kind: "failed", failure: { code: errorCodeOf(error), message, http } }, []);
    } finally {
      reading.delete(id);
    }
  };
  return ({ id, call }) => {
    if (call === "stop") {
      reading.get(id)?.abort();
      return;
    }
    const abort = new AbortController();
    reading.set(id, abort);
    void read(id, call, abort);
  };
}

interface Reading {
  readonly resolve: (answer: RangeAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly onSilence: ((times: number) => void) | undefined;
}

/** The caller's end. The host hands it every message of the thread, and the news that it has ended. */
export function rangesOver(post: (order: RangeOrder, taken: readonly ArrayBuffer[]) => void) {
  const reading = new Map<number, Reading>();
  let dead: Error | undefined;
  let next = 0;
  const read: RangeReader["read"] = async (call, { signal, onSilence }) => {
    signal?.throwIfAborted();
    const id = next++;
    const stop = (): void => post({ id, call: "stop" }, []);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await new Promise<RangeAnswer>((resolve, reject) => {
        if (dead) {
          reject(dead);
          return;
        }
        reading.set(id, { resolve, reject, onSilence });
        post({ id, call }, [call.into.buffer]);
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      reading.delete(id);
    }
  };
  return {
    read,
    /** How many reads are under way. */
    underWay: (): number => reading.size,
    take(news: RangeNews): void {
      const one = reading.get(news.id);
      if (news.kind === "silence") one?.onSilence?.(news.times);
      else if (news.kind === "read") one?.resolve(news.answer);
      else one?.reject(revived(news.failure));
    },
    /** Reads under way and later ones reject. */
    die(error: Error): void {
      dead ??= error;
      for (const { reject } of reading.values()) reject(dead);
    },
  };
}

/** The error that the thread met. */
function revived({ code, message, http }: Failure): Error {
  if (http) return new HttpError(http.url, { status: http.status, headers: new Headers() });
  return new EngineError(code, message);
}
