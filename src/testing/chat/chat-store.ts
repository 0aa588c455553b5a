// A chat store whose model does what the test says and whose conversations are kept in memory, with short ways to ask it. Knows no
// test runner.
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import type { AssistantTurn } from "#chat/conversation/conversation.ts";
import type { ModelClient, ReadyModel } from "#chat/models/model-client.ts";
import type { ChatPersistence } from "#chat/persistence/persistence.ts";
import { defaultSettings } from "#chat/settings.ts";
import { createChatStore, type ChatStore } from "#chat/store/store.ts";
import { MemoryPersistence } from "./memory-persistence.ts";

export const loaded: ReadyModel = {
  id: "m",
  name: "M",
  device: "wasm",
  adapter: "",
  threads: 1,
  notices: [],
  contextLength: 512,
  imageTokens: 4,
  loadMs: 1,
};

const timings = { imageMs: 0, visionMs: 0, prefillMs: 0, decodeMs: 0, firstTokenMs: 0, totalMs: 0 };
const usage = { promptTokens: 1, cachedTokens: 0, imageTokens: 0, newTokens: 1 };
export const done = (reason: "eos" | "abort" | "length"): GenerateEvent => ({ type: "done", reason, usage, timings });

/** Yields the events, then throws the error, if there is one. */
export async function* play(events: readonly GenerateEvent[], error?: Error): AsyncGenerator<GenerateEvent> {
  for (const event of events) {
    await Promise.resolve();
    yield event;
  }
  if (error !== undefined) throw error;
}

/** Speaks once, then waits for Stop. */
export async function* untilStopped(signal: AbortSignal): AsyncGenerator<GenerateEvent> {
  yield { type: "text", text: "Well" };
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  yield done("abort");
}

/** A model whose loading and answers the test decides. */
export class ScriptedModel implements ModelClient {
  readonly requests: GenerateRequest[] = [];
  loads = 0;
  load: ModelClient["load"] = async (onEvent) => {
    this.loads += 1;
    onEvent({ type: "download", loaded: 5, total: 10, stored: 0 });
    await Promise.resolve();
    return loaded;
  };
  answer: (signal: AbortSignal) => AsyncGenerator<GenerateEvent> = () =>
    play([{ type: "text", text: "Yes." }, done("eos")]);
  died: ((error: Error) => void) | undefined;
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateEvent> {
    this.requests.push(request);
    return this.answer(signal);
  }
  onDied(listener: (error: Error) => void): () => void {
    this.died = listener;
    return () => undefined;
  }
}

/** Answers "1", "2", "3", … */
export function counting(): ScriptedModel {
  const model = new ScriptedModel();
  let count = 0;
  model.answer = () => play([{ type: "text", text: String(++count) }, done("eos")]);
  return model;
}

/** A store whose ids are id-1, id-2, …, and which saves a growing answer at once. */
export function make(model = new ScriptedModel(), persistence: ChatPersistence = new MemoryPersistence()): ChatStore {
  let id = 0;
  return createChatStore({
    client: model,
    persistence,
    settings: defaultSettings({ knows: "basics" }),
    newId: () => `id-${++id}`,
    saveEveryMs: 0,
  });
}

/** A store that has asked the questions; `settled` lets each answer come to its end. */
export async function asked(
  settled: () => Promise<unknown>,
  model: ScriptedModel,
  ...questions: readonly string[]
): Promise<ChatStore> {
  const store = make(model);
  await store.start();
  for (const question of questions) {
    store.send(question, []);
    await settled();
  }
  return store;
}

export const titles = (store: ChatStore): string[] => store.get().conversations.map(({ title }) => title);
export const texts = (store: ChatStore): string[] => store.get().conversation.turns.map((turn) => turn.text);
export const idAt = (store: ChatStore, index: number): string => store.get().conversation.turns[index]?.id ?? "";

/** Throws where the conversation does not end with an answer. */
export function lastAnswer(store: ChatStore): AssistantTurn {
  const turn = store.get().conversation.turns.at(-1);
  if (turn?.role !== "assistant") throw new Error("no answer");
  return turn;
}
