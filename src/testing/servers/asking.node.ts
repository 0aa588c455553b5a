// What tests of servers have in common: servers that end with the test, a question, and an answer collected to its end.
import type { GenerateEvent, GenerateRequest, Message } from "#engine/types.ts";
import { RemoteError } from "#remote/http/errors.ts";
import { startFakeServer, type FakeServer, type FakeServerOptions } from "./fake-server.node.ts";
import { generateRemote } from "#remote/generate.ts";
import type { EncodePicture } from "#remote/request.ts";
import type { Server, ServerModel } from "#remote/http/server.ts";
import { defaultTimeouts, type Timeouts } from "#remote/http/idle-timeout.ts";

let running: FakeServer[] = [];

/** Ends with `stopAll`. */
export async function start(options: FakeServerOptions = {}): Promise<FakeServer> {
  const server = await startFakeServer(options);
  running.push(server);
  return server;
}

export async function stopAll(): Promise<void> {
  await Promise.all(running.map((server) => server.stop()));
  running = [];
}

export const say = (text: string): Message => ({ role: "user", parts: [{ type: "text", text }] });

export function request(messages: readonly Message[], more: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    messages,
    sampling: { temperature: 0.2, topK: 0, topP: 0.7, minP: 0, repetitionPenalty: 1 },
    maxNewTokens: 64,
    stop: [],
    ...more,
  };
}

export interface Answer {
  readonly text: string;
  readonly done: (GenerateEvent & { type: "done" }) | undefined;
  /** What it failed with. */
  readonly error: RemoteError | undefined;
  readonly events: readonly GenerateEvent[];
}

export interface Asking {
  readonly model?: ServerModel;
  readonly asked?: GenerateRequest;
  readonly signal?: AbortSignal;
  readonly timeouts?: Partial<Timeouts>;
  /** Default sends pictures as they are. */
  readonly encodePicture?: EncodePicture;
}

/** Asks without asking for the list of models first. */
export async function ask(server: Server, asking: Asking = {}): Promise<Answer> {
  const {
    model = { id: "llava-hf/llava-1.5-13b-hf", kind: "vllm" },
    asked = request([say("How many cats are there?")]),
    signal = new AbortController().signal,
    timeouts = {},
    encodePicture = (blob) => Promise.resolve(blob),
  } = asking;
  const events: GenerateEvent[] = [];
  let error: RemoteError | undefined;
  try {
    const answer = generateRemote(server, model, asked, signal, encodePicture, { ...defaultTimeouts, ...timeouts });
    for await (const event of answer) events.push(event);
  } catch (caught) {
    if (!(caught instanceof RemoteError)) throw caught;
    error = caught;
  }
  const done = events.at(-1);
  return {
    text: events.map((event) => (event.type === "text" ? event.text : "")).join(""),
    done: done?.type === "done" ? done : undefined,
    error,
    events,
  };
}
