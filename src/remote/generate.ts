// Streams a server's answer as the engine's events. Knows no page and no storage; pictures are encoded for sending by `encodePicture`.
import type { FinishReason, GenerateEvent, GenerateRequest, ImagePart } from "#engine/types.ts";
import { RemoteError } from "#remote/http/errors.ts";
import { fetchFromServer, redactorFor } from "#remote/http/http.ts";
import { defaultTimeouts, withWaitingEvents, type Timeouts, type WaitingEvent } from "#remote/http/idle-timeout.ts";
import type { RedactingStream } from "#remote/http/redact.ts";
import type { Server, ServerModel } from "#remote/http/server.ts";
import type { Chunk } from "#remote/stream/chunk-value.ts";
import { readChunks, timeoutError, type Ending } from "#remote/stream/chunks.ts";
import { judgeFinish } from "./finish-reason.ts";
import { leaveOut, refusedFields, rememberedRefusals, rememberRefusals, type ChatBody } from "./refused-fields.ts";
import { blobToDataUrl, toChatBody, type EncodePicture } from "./request.ts";

/** In characters; far more than the most tokens that the settings allow. */
const longestAnswer = 250_000;

/**
 * Streams one answer: stages, waits, text, and one `done`, also after an abort. A text event is what the server sent at once; where it does
 * not count tokens, chunks are counted instead. Fields that the server refuses are left out and the request is repeated; later requests
 * go without them. Rejects with RemoteError.
 */
export async function* generateRemote(
  server: Server,
  model: ServerModel,
  request: GenerateRequest,
  signal: AbortSignal,
  encodePicture: EncodePicture,
  timeouts: Timeouts = defaultTimeouts,
): AsyncGenerator<GenerateEvent, void> {
  const redactor = redactorFor(server);
  const answer = createAnswer(redactor.stream(continuedText(request)), request.maxNewTokens);
  try {
    signal.throwIfAborted();
    const pictures = request.messages.flatMap(({ parts }) => parts).filter((part) => part.type === "image");
    if (pictures.length > 0) yield { type: "stage", stage: "image", done: 0, total: pictures.length };
    const body = await toChatBody(request, model, (part) => pictureUrl(part, encodePicture));
    signal.throwIfAborted();
    let ending: Ending;
    for (let refused = rememberedRefusals(server.url, model.id); ;) {
      const accepted = leaveOut(body, refused);
      try {
        ending = yield* streamAnswer(answer, server, accepted, signal, timeouts);
        rememberRefusals(server.url, model.id, refused);
        break;
      } catch (error) {
        const more = error instanceof RemoteError && answer.chunks === 0 ? refusedFields(accepted, error) : [];
        if (more.length === 0) throw error;
        refused = new Set([...refused, ...more]);
      }
    }
    yield* answer.end();
    const { reason, ending: word } = judgeFinish(
      answer.finish,
      redactor.text(answer.finish),
      ending,
      answer.chunks > 0,
    );
    yield answer.done(reason, word);
  } catch (error) {
    yield* answer.end();
    if (!signal.aborted) throw error;
    yield answer.done("abort");
  }
}

/** The text that the answer continues: the redactor has to know it, because the answer may complete a key that began there. */
function continuedText({ messages }: GenerateRequest): string {
  const last = messages.at(-1);
  if (last?.role !== "assistant") return "";
  return last.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** What has arrived of an answer, and when. */
interface Answer {
  /** Chunks with text. */
  readonly chunks: number;
  /** The server's last finish reason, "" while there is none. */
  readonly finish: string;
  /** Whether the answer is longer than any should be. */
  readonly isTooLong: boolean;
  /** The request is sent now. */
  markSent(): void;
  /** Ends an answer that is too long. */
  cut(): void;
  read(chunk: Chunk): Generator<GenerateEvent>;
  /** The text that was held back. */
  end(): Generator<GenerateEvent>;
  done(reason: FinishReason, ending?: string): GenerateEvent;
}

/** `visible` redacts the text; `maxNewTokens` is the total that the decode stage reports. */
function createAnswer(visible: RedactingStream, maxNewTokens: number): Answer {
  const startedAt = performance.now();
  let sentAt = startedAt;
  let firstTextAt: number | undefined;
  let chunks = 0;
  let length = 0;
  let finish = "";
  const counts: { -readonly [K in "promptTokens" | "cachedTokens" | "newTokens"]?: Chunk[K] } = {};

  const textEvents = function* (text: string): Generator<GenerateEvent> {
    if (text === "") return;
    if (firstTextAt === undefined) {
      firstTextAt = performance.now();
      yield { type: "stage", stage: "decode", done: 0, total: maxNewTokens };
    }
    yield { type: "text", text };
  };

  return {
    get chunks() {
      return chunks;
    },
    get finish() {
      return finish;
    },
    get isTooLong() {
      return length > longestAnswer;
    },
    markSent: () => void (sentAt = performance.now()),
    cut: () => void (finish = "length"),
    *read(chunk) {
      counts.promptTokens = chunk.promptTokens ?? counts.promptTokens;
      counts.cachedTokens = chunk.cachedTokens ?? counts.cachedTokens;
      counts.newTokens = chunk.newTokens ?? counts.newTokens;
      if (chunk.finish !== "") finish = chunk.finish;
      if (chunk.text === "") return;
      chunks += 1;
      length += chunk.text.length;
      yield* textEvents(visible.push(chunk.text));
    },
    end: () => textEvents(visible.end()),
    done(reason, ending) {
      const now = performance.now();
      const first = firstTextAt ?? now;
      return {
        type: "done",
        reason,
        ...(ending === undefined ? {} : { ending }),
        usage: {
          promptTokens: counts.promptTokens ?? 0,
          cachedTokens: counts.cachedTokens ?? 0,
          // No server reports how many of the prompt's tokens were pictures.
          imageTokens: 0,
          newTokens: counts.newTokens ?? chunks,
        },
        timings: {
          imageMs: sentAt - startedAt,
          visionMs: 0,
          prefillMs: first - sentAt,
          decodeMs: now - first,
          firstTokenMs: first - startedAt,
          totalMs: now - startedAt,
        },
      };
    },
  };
}

/** Sends the request once and reads the answer to its end. */
async function* streamAnswer(
  answer: Answer,
  server: Server,
  body: ChatBody,
  signal: AbortSignal,
  timeouts: Timeouts,
): AsyncGenerator<GenerateEvent, Ending> {
  answer.markSent();
  yield { type: "stage", stage: "prefill", done: 0, total: 1 };
  const chunks = requestChunks(server, body, signal, timeouts);
  try {
    for (;;) {
      const result = await chunks.next();
      if (result.done === true) return result.value;
      if (result.value.type === "waiting") yield result.value;
      else yield* answer.read(result.value);
      // Not every server honors the limit of the length.
      if (answer.isTooLong) {
        answer.cut();
        return "done";
      }
    }
  } finally {
    await chunks.return("closed");
  }
}

/** The chunks of one request; the request is aborted when the generator is left. */
async function* requestChunks(
  server: Server,
  body: ChatBody,
  signal: AbortSignal,
  timeouts: Timeouts,
): AsyncGenerator<Chunk | WaitingEvent, Ending> {
  const left = new AbortController();
  try {
    const responding = fetchFromServer(server, {
      endpoint: "answer",
      body,
      signal: AbortSignal.any([signal, left.signal]),
    });
    const response = yield* withWaitingEvents(responding, timeouts.firstChunkMs, timeouts);
    if (response === undefined) throw timeoutError(timeouts.firstChunkMs);
    return yield* readChunks(response, signal, redactorFor(server), timeouts);
  } finally {
    left.abort();
  }
}

/** Data URLs of pictures: every turn sends all pictures again, and each is encoded once. */
const urls = new WeakMap<Blob, Promise<string>>();

async function pictureUrl({ blob }: ImagePart, encodePicture: EncodePicture): Promise<string> {
  let url = urls.get(blob);
  if (url === undefined) {
    url = encodePicture(blob).then(blobToDataUrl);
    urls.set(blob, url);
    // A failure is not cached.
    url.catch(() => urls.delete(blob));
  }
  return url;
}
