// A server of the OpenAI-compatible protocol for tests: real HTTP, real streams, and faults to order. Its answers say what it was
// asked, so that a test can tell that words and pictures arrived. No model is in it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { ServerKind } from "#remote/http/server.ts";
import { readAsked, record, type Asked } from "./fake-request.node.ts";

/** What happens to the next request for an answer, instead of an answer. */
type Fault =
  | { readonly type: "status"; readonly status: number; readonly body: string }
  | { readonly type: "cut"; readonly afterBytes: number }
  | { readonly type: "html" }
  | { readonly type: "stream-error"; readonly data: string }
  | { readonly type: "not-streamed" }
  | { readonly type: "silent-end" }
  | { readonly type: "garbage" }
  | { readonly type: "redirect"; readonly to: string }
  | RawAnswer;

/** A body in the server's own words, piece by piece. */
export interface RawAnswer {
  readonly type: "raw";
  /** Default 200. */
  readonly status?: number;
  /** Default "text/event-stream"; null sends none. */
  readonly contentType?: string | null;
  readonly pieces: readonly (string | Uint8Array)[];
  /** Milliseconds before each piece but the first; default 0. */
  readonly paceMs?: number;
  /** Leaves the connection open after the last piece. */
  readonly staysOpen?: boolean;
}

/** A whole answer of status and body. */
interface PlainAnswer {
  readonly status: number;
  readonly body: string;
  /** Default "application/json". */
  readonly contentType?: string;
}

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly origin: string | undefined;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
}

export interface FakeServerOptions {
  readonly kind?: ServerKind;
  readonly models?: readonly string[];
  /** When set, requests need it. */
  readonly key?: string;
  /** False sends no CORS headers, as a server that was not told of the page. */
  readonly cors?: boolean;
  /** The answer's words to a question; default tells what arrived. */
  readonly answer?: (question: string, pictures: readonly string[]) => string;
  /** Sizes into which the stream's bytes are cut, over and over; default whole events. */
  readonly cuts?: readonly number[];
  /** Milliseconds between two pieces. */
  readonly paceMs?: number;
  readonly lineEnd?: "\n" | "\r\n" | "\r";
  /** What the list of models is instead of one in the protocol's words. */
  readonly list?: PlainAnswer;
  /** So many requests for the list get no answer at all, before one does. */
  readonly silentLists?: number;
  /** What a request for an answer is turned away with for what its body holds; undefined lets it pass. */
  readonly refuses?: (body: Readonly<Record<string, unknown>>) => PlainAnswer | undefined;
  /** Where every request is sent on to, with status 307. */
  readonly redirectsTo?: string;
}

export interface FakeServer {
  /** Of the API, as a user would type it. */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Requests whose connection the other side closed before the answer's end. */
  readonly hungUp: () => number;
  /** Goes wrong in this way at the next request for an answer, once per call. */
  fail(fault: Fault): void;
  setModels(models: readonly string[]): void;
  /** Ends it; open connections are cut. */
  stop(): Promise<void>;
}

const owners: Readonly<Record<ServerKind, string>> = {
  vllm: "vllm",
  sglang: "sglang",
  "llama.cpp": "llamacpp",
  ollama: "library",
  other: "someone",
};

/** Resolves when it listens on localhost. Longer than most functions: a closure over what it was asked and what it still refuses. */
export async function startFakeServer(options: FakeServerOptions = {}): Promise<FakeServer> {
  const { kind = "vllm", key, cors = true, cuts, paceMs = 0, lineEnd = "\n", list, refuses, redirectsTo } = options;
  let silentLists = options.silentLists ?? 0;
  let models = options.models ?? ["llava-hf/llava-1.5-13b-hf"];
  const answer =
    options.answer ??
    ((question, pictures) =>
      `You asked “${question}” with ${pictures.length} pictures${pictures.map((p) => ` ${p}`).join("")}. 🦙 好`);
  const requests: SeenRequest[] = [];
  const faults: Fault[] = [];
  let hungUp = 0;

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (cors) {
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-headers", "authorization, content-type");
      response.setHeader("access-control-allow-methods", "GET, POST, OPTIONS");
    }
    const text = await readBody(request);
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const { method = "", url: path = "" } = request;
    const { authorization, origin } = request.headers;
    requests.push({ method, path, authorization, origin, body });
    if (redirectsTo !== undefined) return void response.writeHead(307, { location: redirectsTo }).end();
    if (method === "OPTIONS") return void response.writeHead(204).end();
    if (key !== undefined && authorization !== `Bearer ${key}`)
      return json(response, 401, { error: { message: `Incorrect API key provided: ${authorization ?? "none"}` } });
    if (path === "/v1/models" && silentLists > 0) {
      silentLists -= 1;
      return;
    }
    if (path === "/v1/models" && list !== undefined) return plain(response, list);
    if (path === "/v1/models") return json(response, 200, listOf(models, kind));
    if (path === "/v1/chat/completions" && method === "POST") return complete(body, response);
    json(response, 404, { detail: "Not Found" });
  }

  async function complete(body: unknown, response: ServerResponse): Promise<void> {
    const asked = readAsked(body);
    if (!models.includes(asked.model))
      return json(response, 404, { error: { message: `The model \`${asked.model}\` does not exist.`, code: 404 } });
    const refusal = refuses?.(record(body));
    if (refusal !== undefined) return plain(response, refusal);
    const fault = faults.shift();
    response.on("close", () => {
      if (!response.writableFinished && fault?.type !== "cut") hungUp += 1;
    });
    if (fault?.type === "raw") return raw(response, fault);
    if (fault?.type === "status")
      return void response.writeHead(fault.status, { "content-type": "application/json" }).end(fault.body);
    if (fault?.type === "html")
      return void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Welcome</h1>");
    if (fault?.type === "redirect") return void response.writeHead(307, { location: fault.to }).end();
    const words = answer(asked.question, asked.pictures);
    if (fault?.type === "not-streamed") return json(response, 200, wholeAnswer(words, asked));
    const events = eventsOf(words, asked, lineEnd, fault);
    const pieces =
      cuts === undefined ? events.map((text) => Buffer.from(text)) : cutUp(Buffer.from(events.join("")), cuts);
    await sendStream(response, pieces, paceMs, fault?.type === "cut" ? fault.afterBytes : Infinity);
  }

  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://localhost:${address.port}/v1`,
    requests,
    hungUp: () => hungUp,
    fail: (fault) => void faults.push(fault),
    setModels: (next) => {
      models = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The list of models, as a server of this kind writes it. */
function listOf(models: readonly string[], kind: ServerKind): unknown {
  return {
    object: "list",
    data: models.map((id) => ({
      id,
      object: "model",
      owned_by: owners[kind],
      ...(kind === "vllm" ? { max_model_len: 4096 } : {}),
    })),
  };
}

/** One token a word, and 576 a picture, as LLaVA-1.5 has them. */
function usageOf(pieces: readonly string[], asked: Asked): unknown {
  const promptTokens = 10 + asked.pictures.length * 576;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: pieces.length + 1,
    total_tokens: promptTokens + pieces.length + 1,
  };
}

const piecesOf = (words: string): readonly string[] => words.match(/\S+\s*/gu) ?? [];

/** The answer of a server that does not stream. */
function wholeAnswer(words: string, asked: Asked): unknown {
  const choices = [{ message: { role: "assistant", content: words }, finish_reason: "stop" }];
  return { choices, usage: usageOf(piecesOf(words), asked) };
}

/** The events of a streamed answer; a fault breaks some of them. */
function eventsOf(words: string, asked: Asked, lineEnd: string, fault: Fault | undefined): string[] {
  const pieces = piecesOf(words);
  const event = (data: unknown): string => `data: ${JSON.stringify(data)}${lineEnd}${lineEnd}`;
  const chunk = (delta: unknown, finish: string | null = null): string =>
    event({ id: "1", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] });
  const events = [
    `: a comment${lineEnd}${lineEnd}`,
    chunk({ role: "assistant", content: "" }),
    ...pieces.map((content) => chunk({ content })),
    chunk({}, asked.maxTokens < pieces.length ? "length" : "stop"),
    event({ id: "1", object: "chat.completion.chunk", choices: [], usage: usageOf(pieces, asked) }),
    `data: [DONE]${lineEnd}${lineEnd}`,
  ];
  if (fault?.type === "stream-error") events.splice(3, events.length, `${fault.data}${lineEnd}${lineEnd}`);
  if (fault?.type === "silent-end") events.splice(-3);
  if (fault?.type === "garbage") events.splice(3, 1, `data: {"choices": [${lineEnd}${lineEnd}`);
  return events;
}

/** Writes the pieces one by one; the connection breaks after so many bytes. */
async function sendStream(
  response: ServerResponse,
  pieces: Iterable<Buffer>,
  paceMs: number,
  breaksAfterBytes: number,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  let left = breaksAfterBytes;
  for (const bytes of pieces) {
    if (response.destroyed) return;
    if (left < bytes.length) {
      response.write(bytes.subarray(0, left), () => response.destroy());
      return;
    }
    left -= bytes.length;
    response.write(bytes);
    // A turn of the loop at least, so that pieces arrive one by one.
    await new Promise((resolve) => setTimeout(resolve, paceMs));
  }
  response.end();
}

function plain(response: ServerResponse, { status, body, contentType = "application/json" }: PlainAnswer): void {
  response.writeHead(status, { "content-type": contentType }).end(body);
}

async function raw(response: ServerResponse, answer: RawAnswer): Promise<void> {
  const { status = 200, contentType = "text/event-stream", pieces, paceMs = 0, staysOpen = false } = answer;
  response.writeHead(status, contentType === null ? {} : { "content-type": contentType });
  response.flushHeaders();
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, paceMs));
    if (response.destroyed) return;
    response.write(piece);
  }
  if (!staysOpen) response.end();
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of request) if (part instanceof Uint8Array) parts.push(part);
  return Buffer.concat(parts).toString();
}

function* cutUp(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
