// Reads an answer's body into chunks, whether the server sends an event stream, JSON lines or one JSON text, under whatever content type.
// Also yields events while nothing arrives. What the chunks mean for the answer is decided elsewhere.
import type { Redactor } from "#remote/http/redact.ts";
import { RemoteError } from "#remote/http/errors.ts";
import { readMessage, readMessageText } from "#remote/http/server-message.ts";
import { withWaitingEvents, type Timeouts, type WaitingEvent } from "#remote/http/idle-timeout.ts";
import { messageError, notAnAnswerError, readChunkValue, type Chunk } from "./chunk-value.ts";
import { createSseParser, type SseEvent } from "./sse.ts";

/** How the body ended: with the protocol's end mark, or with the connection. */
export type Ending = "done" | "closed";

/** Bytes of one JSON text or one event; anything longer would fill the memory. */
const longestText = 32 * 2 ** 20;

/** Yields chunks, and events while nothing arrives. Leaving the loop cancels the body. Rejects with RemoteError. */
export async function* readChunks(
  response: Response,
  signal: AbortSignal,
  redactor: Redactor,
  timeouts: Timeouts,
): AsyncGenerator<Chunk | WaitingEvent, Ending> {
  if (response.body === null) throw new RemoteError("server-wrong-answer", "the answer has no body");
  const reader = response.body.getReader();
  const format = createFormat(redactor);
  let began = false;
  let finished = false;
  try {
    for (;;) {
      const limitMs: number = finished ? timeouts.afterFinishMs : began ? timeouts.nextChunkMs : timeouts.firstChunkMs;
      const result: ReadableStreamReadResult<Uint8Array> | undefined = yield* withWaitingEvents(
        readOn(reader, signal),
        limitMs,
        timeouts,
      );
      if (result === undefined) {
        if (finished) return "done";
        throw timeoutError(limitMs);
      }
      for (const chunk of result.done ? format.end() : format.push(result.value)) {
        if (chunk === "done") return "done";
        began ||= chunk.text !== "";
        // Some servers send a finish reason with every chunk.
        finished = chunk.finish !== "" || (finished && chunk.text === "");
        yield chunk;
      }
      if (result.done) return "closed";
    }
  } finally {
    // Not awaited: it may hang, and it rejects where the stream broke.
    reader.cancel().catch(() => undefined);
  }
}

/** The error for a server that sent nothing for this long. */
export function timeoutError(ms: number): RemoteError {
  return new RemoteError("server-silent", `nothing came for ${Math.round(ms / 1000)} s`);
}

async function readOn(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (error) {
    signal.throwIfAborted();
    throw new RemoteError("server-broken-stream", "the connection broke off", { cause: error });
  }
}

/** A decoder of one format. Generators, so that chunks before an error in the same bytes are not lost. */
interface Format {
  push(bytes: Uint8Array): Chunks;
  end(): Chunks;
}
type Chunks = Generator<Chunk | "done", void>;

/** Chooses by the first character, because content types are wrong often: a brace or bracket is JSON, an angle bracket HTML, all else events. */
function createFormat(redactor: Redactor): Format {
  let format: Format | undefined;
  /** Bytes before the first character, among them perhaps part of a byte order mark. */
  let early: Uint8Array[] = [];
  return {
    *push(bytes) {
      if (format !== undefined) return yield* format.push(bytes);
      const first = bytes.find((byte) => !blank.has(byte));
      early.push(bytes);
      if (first === undefined && early.length < mostEarly) return;
      const chosen = first !== undefined && "{[<".includes(String.fromCharCode(first)) ? jsonFormat : eventFormat;
      format = chosen(redactor);
      for (const piece of early) yield* format.push(piece);
      early = [];
    },
    *end() {
      if (format !== undefined) yield* format.end();
    },
  };
}
/** Reads without a character after which the body counts as an event stream. */
const mostEarly = 1000;
/** Line ends, space, tab, and the bytes of a byte order mark. */
const blank: ReadonlySet<number> = new Set([0x0a, 0x0d, 0x20, 0x09, 0xef, 0xbb, 0xbf]);

function eventFormat(redactor: Redactor): Format {
  /** Lines that are no fields: a server may send its error as plain text. */
  const others: string[] = [];
  let events = 0;
  let length = 0;
  const parser = createSseParser((line) => {
    if (others.length < 20) others.push(line);
  });
  const read = function* (all: readonly SseEvent[], isLast: boolean): Chunks {
    events += all.length;
    if (all.length > 0) length = 0;
    for (const event of all) yield* readEvent(event, isLast, redactor);
  };
  return {
    *push(bytes) {
      length += bytes.length;
      if (length > longestText) throw new RemoteError("server-wrong-answer", "a part of the answer does not end");
      yield* read(parser.push(bytes), false);
    },
    *end() {
      yield* read(parser.end(), true);
      if (events === 0 && others.length > 0) throw notAnAnswerError(others.join(" "), redactor);
    },
  };
}

function readEvent({ name, data }: SseEvent, isLast: boolean, redactor: Redactor): (Chunk | "done")[] {
  const text = data.trim();
  if (/^"?\[done\]"?$/i.test(text)) return ["done"];
  if (text === "") return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (name === "error") throw messageError(readMessageText(text), redactor);
    // The connection ended within this event.
    if (isLast) return [];
    // Plain text, such as a keep-alive.
    if (!/^[{["]/.test(text)) return [];
    throw new RemoteError("server-wrong-answer", "a part of the answer is no JSON");
  }
  if (name === "error") throw messageError(readMessage(value) ?? { text: "", fields: [] }, redactor);
  return readChunkValue(value, redactor);
}

/** One JSON text, JSON lines, or an HTML page. */
function jsonFormat(redactor: Redactor): Format {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let length = 0;
  return {
    *push(bytes) {
      length += bytes.length;
      if (length > longestText) throw new RemoteError("server-wrong-answer", "the answer is too long to be one");
      parts.push(decoder.decode(bytes, { stream: true }));
    },
    *end() {
      const body = parts.join("") + decoder.decode();
      const values = parseAll(body);
      if (values === undefined) throw notAnAnswerError(readMessageText(body).text, redactor);
      let count = 0;
      for (const value of values)
        for (const chunk of readChunkValue(value, redactor)) {
          count += 1;
          yield chunk;
        }
      if (count === 0) throw notAnAnswerError("", redactor);
    },
  };
}

/** One value, or one per line; undefined where the body is not JSON. */
function parseAll(body: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return [value];
  } catch {
    try {
      return body
        .split("\n")
        .filter((line) => line.trim() !== "")
        .map((line): unknown => JSON.parse(line));
    } catch {
      return undefined;
    }
  }
}
