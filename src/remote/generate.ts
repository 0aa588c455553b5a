// One answer of a server as the engine's events. Knows no page and no storage; pictures come ready to send from `encodePicture`.
import * as v from "valibot";
import type { FinishReason, GenerateEvent, GenerateRequest, ImagePart } from "#engine/types.ts";
import { askServer, readErrorMessage, withoutKey } from "./door.ts";
import { codeForWords, RemoteError } from "./errors.ts";
import { blobToDataUrl, toChatBody, type EncodePicture } from "./request.ts";
import type { Server, ServerModel } from "./server.ts";
import { createSseParser, type SseEvent } from "./sse.ts";

const tokens = v.pipe(v.number(), v.minValue(0));

/** A chunk of the stream, or a whole answer of a server that does not stream (`message` instead of `delta`). */
const Chunk = v.looseObject({
  choices: v.nullish(
    v.array(
      v.looseObject({
        delta: v.nullish(v.looseObject({ content: v.nullish(v.string()) })),
        message: v.nullish(v.looseObject({ content: v.nullish(v.string()) })),
        finish_reason: v.nullish(v.string()),
      }),
    ),
  ),
  usage: v.nullish(
    v.looseObject({
      prompt_tokens: v.nullish(tokens),
      completion_tokens: v.nullish(tokens),
      prompt_tokens_details: v.nullish(v.looseObject({ cached_tokens: v.nullish(tokens) })),
    }),
  ),
});
type Chunk = v.InferOutput<typeof Chunk>;

const reasons: Readonly<Record<string, FinishReason>> = { length: "length", stop: "eos" };

/**
 * Streams one answer: stages, pieces of text, one `done`, also after an abort. Rejects with RemoteError. A piece is what the server
 * sent at once; where it does not count tokens, pieces are counted instead.
 */
export async function* generateRemote(
  server: Server,
  model: ServerModel,
  request: GenerateRequest,
  signal: AbortSignal,
  encodePicture: EncodePicture,
): AsyncGenerator<GenerateEvent, void> {
  const began = performance.now();
  let sentAt = began;
  let firstAt: number | undefined;
  let pieces = 0;
  let reason: FinishReason | undefined;
  let usage: Chunk["usage"];

  const done = (how: FinishReason): GenerateEvent => {
    const now = performance.now();
    const first = firstAt ?? now;
    return {
      type: "done",
      reason: how,
      usage: {
        promptTokens: usage?.prompt_tokens ?? 0,
        cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? 0,
        // No server tells how many of the prompt's tokens were pictures.
        imageTokens: 0,
        newTokens: usage?.completion_tokens ?? pieces,
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

  try {
    signal.throwIfAborted();
    const pictures = request.messages.flatMap(({ parts }) => parts).filter((part) => part.type === "image");
    if (pictures.length > 0) yield { type: "stage", stage: "image", done: 0, total: pictures.length };
    const body = await toChatBody(request, model, (part) => pictureUrl(part, encodePicture));
    signal.throwIfAborted();
    sentAt = performance.now();
    yield { type: "stage", stage: "prefill", done: 0, total: 1 };
    const response = await askServer(server, { asked: "answer", body, signal });
    for await (const chunk of readChunks(server, response, signal)) {
      usage = chunk.usage ?? usage;
      const choice = chunk.choices?.[0];
      const text = choice?.delta?.content ?? choice?.message?.content ?? "";
      const ending = choice?.finish_reason ?? "";
      if (ending !== "") reason = reasons[ending] ?? "stop";
      if (text === "") continue;
      pieces += 1;
      if (firstAt === undefined) {
        firstAt = performance.now();
        yield { type: "stage", stage: "decode", done: 0, total: request.maxNewTokens };
      }
      yield { type: "text", text };
    }
    if (reason === undefined)
      throw new RemoteError("server-broken-stream", "the answer ended without saying that it does");
    yield done(reason);
  } catch (error) {
    if (!signal.aborted) throw error;
    yield done("abort");
  }
}

/** The chunks until [DONE] or the end of the connection; leaving the loop cancels what is still to come. */
async function* readChunks(server: Server, response: Response, signal: AbortSignal): AsyncGenerator<Chunk, void> {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("application/json")) {
    yield parseChunk(server, { name: "message", data: await readText(response, signal) });
    return;
  }
  if (!type.includes("text/event-stream") || response.body === null) {
    await response.body?.cancel();
    throw new RemoteError("server-wrong-answer", `the answer is of the type “${type}”, not a stream of events`);
  }
  const parser = createSseParser();
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await readOn(reader, signal);
      for (const event of done ? parser.end() : parser.push(value)) {
        if (event.data.trim() === "[DONE]") return;
        yield parseChunk(server, event);
      }
      if (done) return;
    }
  } finally {
    // Of a stream that broke there is nothing left to cancel.
    await reader.cancel().catch(() => undefined);
  }
}

async function readOn(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (error) {
    signal.throwIfAborted();
    throw new RemoteError("server-broken-stream", String(error), { cause: error });
  }
}

async function readText(response: Response, signal: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new RemoteError("server-broken-stream", String(error), { cause: error });
  }
}

function parseChunk(server: Server, event: SseEvent): Chunk {
  let value: unknown;
  try {
    value = JSON.parse(event.data);
  } catch (error) {
    throw new RemoteError("server-wrong-answer", "a part of the answer is no JSON", { cause: error });
  }
  const failed = typeof value === "object" && value !== null && "error" in value && value.error !== null;
  if (event.name === "error" || failed) {
    const said = withoutKey(server, readErrorMessage(value) ?? "").slice(0, 400);
    throw new RemoteError(codeForWords(said) ?? "server-failed", said);
  }
  const parsed = v.safeParse(Chunk, value);
  if (!parsed.success) throw new RemoteError("server-wrong-answer", "a part of the answer is not of the protocol");
  return parsed.output;
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
