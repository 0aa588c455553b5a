// One answer of a server as the engine's events. Knows no page and no storage; pictures come ready to send from `encodePicture`.
import type { FinishReason, GenerateEvent, GenerateRequest, ImagePart } from "#engine/types.ts";
import { readChunks, silent, type Chunk, type Ending } from "#remote/stream/chunks.ts";
import { askServer, blotterOf } from "./door.ts";
import { RemoteError } from "./errors.ts";
import { leaveOut, refusedFields, rememberedRefusals, rememberRefusals, type ChatBody } from "./refused-fields.ts";
import { blobToDataUrl, toChatBody, type EncodePicture } from "./request.ts";
import type { Server, ServerModel } from "./server.ts";
import { patience as defaultPatience, waitFor, type Patience, type Silence } from "#remote/stream/silence.ts";

/** How servers say that an answer ends; case does not count. */
const reasons: Readonly<Record<string, FinishReason>> = {
  stop: "eos",
  eos: "eos",
  eos_token: "eos",
  end: "eos",
  end_turn: "eos",
  stop_sequence: "eos",
  complete: "eos",
  completed: "eos",
  length: "length",
  max_tokens: "length",
  max_length: "length",
  max_output_tokens: "length",
  model_length: "context",
};
const filters = /filter|safety|recitation|blocklist|prohibited|spii|refusal|moderation/i;
const tools = /tool|function/i;
const breaks = /^(abort|aborted|cancel|cancelled|canceled|timeout|time_limit)$/i;

/** Characters; the most tokens that the settings allow are far fewer. */
const longestAnswer = 250_000;

/**
 * Streams one answer: stages, silence, pieces of text, one `done`, also after an abort. Rejects with RemoteError. A piece is what the
 * server sent at once; where it does not count tokens, pieces are counted instead. Fields that the server refuses are left out and the
 * question is asked again; the next one goes without them.
 */
export async function* generateRemote(
  server: Server,
  model: ServerModel,
  request: GenerateRequest,
  signal: AbortSignal,
  encodePicture: EncodePicture,
  patience: Patience = defaultPatience,
): AsyncGenerator<GenerateEvent, void> {
  const blotter = blotterOf(server);
  const last = request.messages.at(-1);
  // An answer that goes on may complete what the one before began to tell.
  const shown = blotter.stream(
    last?.role === "assistant" ? last.parts.map((part) => (part.type === "text" ? part.text : "")).join("") : "",
  );
  const began = performance.now();
  let sentAt = began;
  let firstAt: number | undefined;
  let pieces = 0;
  let length = 0;
  let finish = "";
  const counts: { -readonly [K in "promptTokens" | "cachedTokens" | "newTokens"]?: Chunk[K] } = {};

  const done = (how: FinishReason, ending?: string): GenerateEvent => {
    const now = performance.now();
    const first = firstAt ?? now;
    return {
      type: "done",
      reason: how,
      ...(ending === undefined ? {} : { ending }),
      usage: {
        promptTokens: counts.promptTokens ?? 0,
        cachedTokens: counts.cachedTokens ?? 0,
        // No server tells how many of the prompt's tokens were pictures.
        imageTokens: 0,
        newTokens: counts.newTokens ?? pieces,
      },
      timings: {
        imageMs: sentAt - began,
        visionMs: 0,
        prefillMs: first - sentAt,
        decodeMs: now - first,
        firstTokenMs: first - began,
        totalMs: now - began,
      },
    };
  };

  const tell = function* (text: string): Generator<GenerateEvent> {
    if (text === "") return;
    if (firstAt === undefined) {
      firstAt = performance.now();
      yield { type: "stage", stage: "decode", done: 0, total: request.maxNewTokens };
    }
    yield { type: "text", text };
  };

  const read = function* (piece: Chunk): Generator<GenerateEvent> {
    counts.promptTokens = piece.promptTokens ?? counts.promptTokens;
    counts.cachedTokens = piece.cachedTokens ?? counts.cachedTokens;
    counts.newTokens = piece.newTokens ?? counts.newTokens;
    if (piece.finish !== "") finish = piece.finish;
    if (piece.text === "") return;
    pieces += 1;
    length += piece.text.length;
    yield* tell(shown.push(piece.text));
  };

  const answer = async function* (body: ChatBody): AsyncGenerator<GenerateEvent, Ending> {
    sentAt = performance.now();
    yield { type: "stage", stage: "prefill", done: 0, total: 1 };
    const chunks = ask(server, body, signal, patience);
    try {
      for (;;) {
        const result = await chunks.next();
        if (result.done === true) return result.value;
        if (result.value.type === "waiting") yield result.value;
        else yield* read(result.value);
        // A server that knows no limit is hung up on.
        if (length > longestAnswer) {
          finish = "length";
          return "done";
        }
      }
    } finally {
      await chunks.return("closed");
    }
  };

  try {
    signal.throwIfAborted();
    const pictures = request.messages.flatMap(({ parts }) => parts).filter((part) => part.type === "image");
    if (pictures.length > 0) yield { type: "stage", stage: "image", done: 0, total: pictures.length };
    const body = await toChatBody(request, model, (part) => pictureUrl(part, encodePicture));
    signal.throwIfAborted();
    let ended: Ending;
    for (let refused = rememberedRefusals(server.url, model.id); ;) {
      const asked = leaveOut(body, refused);
      try {
        ended = yield* answer(asked);
        rememberRefusals(server.url, model.id, refused);
        break;
      } catch (error) {
        const more = error instanceof RemoteError && pieces === 0 ? refusedFields(asked, error) : [];
        if (more.length === 0) throw error;
        refused = new Set([...refused, ...more]);
      }
    }
    yield* tell(shown.end());
    yield judge(finish, ended, pieces, blotter.text(finish), done);
  } catch (error) {
    yield* tell(shown.end());
    if (!signal.aborted) throw error;
    yield done("abort");
  }
}

/** The last event for the server's word of why the answer ends; throws where that is no good end. */
function judge(
  finish: string,
  ended: Ending,
  pieces: number,
  word: string,
  done: (how: FinishReason, ending?: string) => GenerateEvent,
): GenerateEvent {
  const said = `finish_reason: ${word}`;
  const reason = reasons[finish.toLowerCase()];
  if (reason !== undefined) return done(reason);
  if (filters.test(finish)) throw new RemoteError("server-filtered", said, { said });
  if (tools.test(finish)) throw new RemoteError("server-tools", said, { said });
  if (breaks.test(finish)) throw new RemoteError("server-broken-stream", said, { said });
  if (finish !== "") return done("stop", word);
  if (ended === "done") return done("eos");
  // The connection was closed in good order, but nobody said that these are all the words.
  if (pieces > 0) return done("stop", "");
  throw new RemoteError("server-broken-stream", "the connection ended before anything came");
}

/** Asks once; ends the request however it is left. */
async function* ask(
  server: Server,
  body: ChatBody,
  signal: AbortSignal,
  patience: Patience,
): AsyncGenerator<Chunk | Silence, Ending> {
  const leaving = new AbortController();
  const both = AbortSignal.any([signal, leaving.signal]);
  try {
    const asking = askServer(server, { asked: "answer", body, signal: both });
    const response = yield* waitFor(asking, patience.firstMs, patience);
    if (response === undefined) throw silent(patience.firstMs);
    return yield* readChunks(response, signal, blotterOf(server), patience);
  } finally {
    leaving.abort();
  }
}

/** Every turn sends all pictures again; each is made ready once. */
const urls = new WeakMap<Blob, Promise<string>>();

async function pictureUrl({ blob }: ImagePart, encodePicture: EncodePicture): Promise<string> {
  let url = urls.get(blob);
  if (url === undefined) {
    url = encodePicture(blob).then(blobToDataUrl);
    urls.set(blob, url);
    // The next try may succeed.
    url.catch(() => urls.delete(blob));
  }
  return url;
}
