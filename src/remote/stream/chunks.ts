// The pieces of an answer, however a server sends them: as events, under whatever type, or as one JSON text in place of a stream.
// Says what arrived, and that nothing does; what it means for the answer is not known here.
import * as v from "valibot";
import type { Blotter } from "./blot.ts";
import { errorForWords, RemoteError, type Said } from "#remote/errors.ts";
import { readSaid, readSaidText, shorten } from "./said.ts";
import { waitFor, type Patience, type Silence } from "./silence.ts";
import { createSseParser, type SseEvent } from "./sse.ts";

/** What is read of one piece; what a server does not tell is undefined. */
export interface Chunk {
  readonly type: "chunk";
  readonly text: string;
  /** Why the answer ends, in the server's word; "" while it goes on. */
  readonly finish: string;
  readonly promptTokens: number | undefined;
  readonly cachedTokens: number | undefined;
  readonly newTokens: number | undefined;
}

/** How the pieces ended: as the protocol wants it, or with the connection. */
export type Ending = "done" | "closed";

/** More than this is no answer; it would fill the memory before anyone sees it. */
const longestText = 32 * 2 ** 20;

/** Yields the pieces and the silence between them. Leaving the loop cancels what is still to come. Rejects with RemoteError. */
export async function* readChunks(
  response: Response,
  signal: AbortSignal,
  blotter: Blotter,
  patience: Patience,
): AsyncGenerator<Chunk | Silence, Ending> {
  if (response.body === null) throw new RemoteError("server-wrong-answer", "the answer has no body");
  const reader = response.body.getReader();
  const format = createFormat(blotter);
  let began = false;
  let finished = false;
  try {
    for (;;) {
      const limitMs: number = finished ? patience.lastMs : began ? patience.betweenMs : patience.firstMs;
      const result: ReadableStreamReadResult<Uint8Array> | undefined = yield* waitFor(
        readOn(reader, signal),
        limitMs,
        patience,
      );
      if (result === undefined) {
        if (finished) return "done";
        throw silent(limitMs);
      }
      for (const chunk of result.done ? format.end() : format.push(result.value)) {
        if (chunk === "done") return "done";
        began ||= chunk.text !== "";
        // Some say a reason in every piece.
        finished = chunk.finish !== "" || (finished && chunk.text === "");
        yield chunk;
      }
      if (result.done) return "closed";
    }
  } finally {
    // Of a stream that broke there is nothing left to cancel, and a cancelling that hangs keeps nobody.
    reader.cancel().catch(() => undefined);
  }
}

/** The error for a silence that was too long. */
export function silent(ms: number): RemoteError {
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

/** Yields one by one: what comes before an error in the same bytes is not lost. */
interface Format {
  push(bytes: Uint8Array): Pieces;
  end(): Pieces;
}
type Pieces = Generator<Chunk | "done", void>;

/** Told by the first character, because types lie: a brace is JSON, an angle bracket a page, all else a stream of events. */
function createFormat(blotter: Blotter): Format {
  let format: Format | undefined;
  /** Blank bytes before the first character: half of a byte order mark may be among them. */
  let early: Uint8Array[] = [];
  return {
    *push(bytes) {
      if (format !== undefined) return yield* format.push(bytes);
      const first = bytes.find((byte) => !blank.has(byte));
      early.push(bytes);
      if (first === undefined && early.length < mostEarly) return;
      const chosen = first !== undefined && "{[<".includes(String.fromCharCode(first)) ? jsonFormat : eventFormat;
      format = chosen(blotter);
      for (const piece of early) yield* format.push(piece);
      early = [];
    },
    *end() {
      if (format !== undefined) yield* format.end();
    },
  };
}
const mostEarly = 1000;
/** Line ends, space, tab and the bytes of a byte order mark. */
const blank: ReadonlySet<number> = new Set([0x0a, 0x0d, 0x20, 0x09, 0xef, 0xbb, 0xbf]);

function eventFormat(blotter: Blotter): Format {
  /** What is no event: a server that can't answer may say so in plain words. */
  const others: string[] = [];
  let events = 0;
  let length = 0;
  const parser = createSseParser((line) => {
    if (others.length < 20) others.push(line);
  });
  const read = function* (all: readonly SseEvent[], isLast: boolean): Pieces {
    events += all.length;
    if (all.length > 0) length = 0;
    for (const event of all) yield* readEvent(event, isLast, blotter);
  };
  return {
    *push(bytes) {
      length += bytes.length;
      if (length > longestText) throw new RemoteError("server-wrong-answer", "a part of the answer does not end");
      yield* read(parser.push(bytes), false);
    },
    *end() {
      yield* read(parser.end(), true);
      if (events === 0 && others.length > 0) throw noAnswer({ words: others.join(" "), about: [] }, blotter);
    },
  };
}

function readEvent({ name, data }: SseEvent, isLast: boolean, blotter: Blotter): (Chunk | "done")[] {
  const text = data.trim();
  if (/^"?\[done\]"?$/i.test(text)) return ["done"];
  if (text === "") return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (name === "error") throw errorOf(readSaidText(text), blotter);
    // Cut off by the end of the connection.
    if (isLast) return [];
    // Words for people, or for whoever watches the connection.
    if (!/^[{["]/.test(text)) return [];
    throw new RemoteError("server-wrong-answer", "a part of the answer is no JSON");
  }
  if (name === "error") throw errorOf(readSaid(value) ?? { words: "", about: [] }, blotter);
  return readValue(value, blotter);
}

/** One text of JSON; or several, one in each line; or a page of HTML. */
function jsonFormat(blotter: Blotter): Format {
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
      if (values === undefined) throw noAnswer(readSaidText(body), blotter);
      let count = 0;
      for (const value of values)
        for (const chunk of readValue(value, blotter)) {
          count += 1;
          yield chunk;
        }
      if (count === 0) throw noAnswer({ words: "", about: [] }, blotter);
    },
  };
}

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

const errorOf = ({ words, about }: Said, blotter: Blotter): RemoteError =>
  errorForWords({ words: shorten(blotter.text(words)), about });

function noAnswer({ words }: Said, blotter: Blotter): RemoteError {
  const said = shorten(blotter.text(words));
  return new RemoteError("server-wrong-answer", `the answer is none: ${said}`, { said });
}

/** A part that is of another kind than it should be says nothing, and keeps nobody from reading the others. */
const orNothing = <const T extends v.GenericSchema>(schema: T) => v.fallback(v.nullish(schema), undefined);
const Words = orNothing(v.union([v.string(), v.array(v.unknown())]));
const Tokens = orNothing(v.pipe(v.number(), v.minValue(0)));
const Spoken = orNothing(v.looseObject({ content: Words, refusal: orNothing(v.string()) }));
const Choice = v.looseObject({
  index: orNothing(v.number()),
  delta: Spoken,
  message: Spoken,
  text: orNothing(v.string()),
  finish_reason: orNothing(v.string()),
  error: v.optional(v.unknown()),
});
const Answer = v.looseObject({
  choices: v.array(Choice),
});
const Usage = v.looseObject({
  usage: orNothing(
    v.looseObject({
      prompt_tokens: Tokens,
      completion_tokens: Tokens,
      prompt_tokens_details: orNothing(v.looseObject({ cached_tokens: Tokens })),
    }),
  ),
});

function readValue(value: unknown, blotter: Blotter): Chunk[] {
  if (Array.isArray(value)) return value.flatMap((one) => readValue(one, blotter));
  if (typeof value !== "object" || value === null) return [];
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const { error, object, choices } = fields;
  const answers = Array.isArray(choices);
  const failed = isSomething(error) || object === "error";
  if (failed || !answers) {
    const said = readSaid(value);
    const spoke = failed || speaking.some((name) => isSomething(fields[name]));
    if (failed || (spoke && said !== undefined)) throw errorOf(said ?? { words: "", about: [] }, blotter);
  }
  const { usage } = v.parse(Usage, value);
  const parsed = v.safeParse(Answer, value);
  if (answers && !parsed.success)
    throw new RemoteError("server-wrong-answer", "a part of the answer is not of the protocol");
  // A sign of life, or figures without words.
  if (!parsed.success && usage == null) return [];
  const choice = parsed.success ? parsed.output.choices.find(({ index }) => (index ?? 0) === 0) : undefined;
  const finish = /^(null|none)?$/i.test(choice?.finish_reason ?? "") ? "" : (choice?.finish_reason ?? "");
  if (isSomething(choice?.error) || finish === "error")
    throw errorOf(readSaid(choice?.error ?? value) ?? { words: "", about: [] }, blotter);
  const spoken = choice?.delta ?? choice?.message;
  const words = textOf(spoken?.content);
  return [
    {
      type: "chunk",
      text: words !== "" ? words : (spoken?.refusal ?? choice?.text ?? ""),
      finish,
      promptTokens: usage?.prompt_tokens ?? undefined,
      cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? undefined,
      newTokens: usage?.completion_tokens ?? undefined,
    },
  ];
}

/** Fields that make of a value without an answer an error. */
const speaking = ["message", "detail", "details", "msg", "errors", "reason", "error_message", "error_description"];

/** Whether a field says anything: some send an error with every piece that is null, false or empty. */
function isSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** Words come as a text, or in parts of which some are thoughts. */
function textOf(content: string | readonly unknown[] | null | undefined): string {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  return content
    .map((part) => {
      if (typeof part === "string") return part;
      if (typeof part !== "object" || part === null) return "";
      const { type, text }: { readonly type?: unknown; readonly text?: unknown } = part;
      return typeof text === "string" && (type === undefined || type === "text" || type === "output_text") ? text : "";
    })
    .join("");
}
