import { describe, expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import type { LoadEvent, LoadedModel } from "#worker/api.ts";
import type { AssistantTurn, Conversation } from "./conversation.ts";
import type { ModelClient } from "./model-client.ts";
import type { ChatPersistence } from "./persistence.ts";
import { defaultSettings } from "./settings.ts";
import { createChatStore, type ChatStore } from "./store.ts";

const loaded: LoadedModel = {
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
const done = (reason: "eos" | "abort"): GenerateEvent => ({ type: "done", reason, usage, timings });

/** Yields the events, then throws the error, if there is one. */
async function* play(events: readonly GenerateEvent[], error?: Error): AsyncGenerator<GenerateEvent> {
  for (const event of events) {
    await Promise.resolve();
    yield event;
  }
  if (error !== undefined) throw error;
}

/** A model at the other end of the wire, whose loading and answers the test decides. */
class ScriptedModel implements ModelClient {
  readonly requests: GenerateRequest[] = [];
  loads = 0;
  load = async (onEvent: (event: LoadEvent) => void): Promise<LoadedModel> => {
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

/** Keeps the last conversation in memory. */
class MemoryPersistence implements ChatPersistence {
  kept: Conversation | undefined;
  load = (): Promise<Conversation | undefined> => Promise.resolve(this.kept);
  save = (conversation: Conversation): Promise<void> => {
    this.kept = conversation;
    return Promise.resolve();
  };
}

function make(model = new ScriptedModel(), persistence: ChatPersistence = new MemoryPersistence()): ChatStore {
  let id = 0;
  return createChatStore({
    client: model,
    persistence,
    settings: defaultSettings({ knows: "pictograms" }),
    newId: () => `id-${++id}`,
    saveEveryMs: 0,
  });
}
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const lastAnswer = (store: ChatStore): AssistantTurn => {
  const turn = store.get().conversation.turns.at(-1);
  if (turn?.role !== "assistant") throw new Error("no answer");
  return turn;
};

/** Speaks once, then waits for Stop. */
const untilStopped = async function* (signal: AbortSignal): AsyncGenerator<GenerateEvent> {
  yield { type: "text", text: "Well" };
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  yield done("abort");
};

describe("asking", () => {
  test("a question gets its answer", async () => {
    const store = make();
    await store.start();
    store.send("Is it red?", []);
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "Yes.", device: "wasm" });
  });

  test("a question asked while the model loads waits and is answered when it is ready", async () => {
    const model = new ScriptedModel();
    const store = make(model);
    const starting = store.start();
    store.send("Is it red?", []);
    expect(lastAnswer(store).status).toBe("queued");
    expect(store.get().model).toMatchObject({ phase: "loading", progress: { loaded: 5, total: 10 } });
    await starting;
    await settled();
    expect(lastAnswer(store).status).toBe("done");
    expect(model.requests).toHaveLength(1);
  });

  test("a waiting question can be taken back", async () => {
    const model = new ScriptedModel();
    const store = make(model);
    store.send("Is it red?", []);
    store.stop();
    await store.start();
    await settled();
    expect(lastAnswer(store).status).toBe("stopped");
    expect(model.requests).toHaveLength(0);
  });

  test("nothing is sent twice, and nothing empty is sent", async () => {
    const model = new ScriptedModel();
    model.answer = untilStopped;
    const store = make(model);
    await store.start();
    store.send("  ", []);
    expect(store.get().conversation.turns).toHaveLength(0);
    store.send("one", []);
    store.send("two", []);
    expect(store.get().conversation.turns).toHaveLength(2);
    store.stop();
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "stopped", text: "Well" });
  });

  test("New chat ends the running answer, and the next question starts from nothing", async () => {
    const model = new ScriptedModel();
    model.answer = untilStopped;
    const store = make(model);
    await store.start();
    store.send("one", []);
    await settled();
    store.newChat();
    expect(store.get().conversation.turns).toHaveLength(0);
    model.answer = new ScriptedModel().answer;
    store.send("two", []);
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "Yes." });
    expect(model.requests[1]?.messages).toHaveLength(1);
  });
});

describe("failures", () => {
  test("a lost device fails the answer and the model; one retry starts both again and the conversation stays", async () => {
    const model = new ScriptedModel();
    const good = model.answer;
    const store = make(model);
    await store.start();
    store.send("first", []);
    await settled();
    model.answer = () => play([{ type: "text", text: "W" }], new EngineError("device-lost", "gone"));
    store.send("second", []);
    await settled();
    expect(lastAnswer(store).failure?.code).toBe("device-lost");
    expect(store.get().model.phase).toBe("failed");
    model.answer = good;
    store.retry();
    await settled();
    expect(model.loads).toBe(2);
    expect(store.get().conversation.turns).toHaveLength(4);
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "Yes." });
  });

  test("a full context fails the answer only", async () => {
    const model = new ScriptedModel();
    model.answer = () =>
      play([{ type: "stage", stage: "prefill", done: 0, total: 1 }], new EngineError("context-full", "too long"));
    const store = make(model);
    await store.start();
    store.send("long", []);
    await settled();
    expect(lastAnswer(store).failure?.code).toBe("context-full");
    expect(store.get().model.phase).toBe("ready");
  });

  test("a model that can't be loaded can be started again, and then answers what waited", async () => {
    const model = new ScriptedModel();
    const good = model.load;
    model.load = () => Promise.reject(new EngineError("network", "offline"));
    const store = make(model);
    store.send("Is it red?", []);
    await store.start();
    expect(store.get().model).toMatchObject({ phase: "failed", failure: { code: "network" } });
    expect(lastAnswer(store).status).toBe("queued");
    model.load = good;
    await store.start();
    await settled();
    expect(lastAnswer(store).status).toBe("done");
  });

  test("a worker that dies in a quiet moment is told at once", async () => {
    const model = new ScriptedModel();
    const store = make(model);
    await store.start();
    model.died?.(new EngineError("worker-dead", "crashed"));
    expect(store.get().model).toMatchObject({ phase: "failed", failure: { code: "worker-dead" } });
  });
});

describe("keeping", () => {
  test("the conversation comes back, and an answer that ran counts as stopped", async () => {
    const persistence = new MemoryPersistence();
    const model = new ScriptedModel();
    model.answer = untilStopped;
    const store = make(model, persistence);
    await store.start();
    store.send("Is it red?", []);
    await settled();
    const later = make(new ScriptedModel(), persistence);
    await later.restore();
    expect(later.get().conversation.turns).toHaveLength(2);
    expect(lastAnswer(later)).toMatchObject({ status: "stopped", text: "Well" });
  });

  test("a question that still waited is answered on the next visit", async () => {
    const persistence = new MemoryPersistence();
    make(new ScriptedModel(), persistence).send("Is it red?", []);
    const later = make(new ScriptedModel(), persistence);
    await later.restore();
    await later.start();
    await settled();
    expect(lastAnswer(later)).toMatchObject({ status: "done", text: "Yes." });
  });

  test("a browser that keeps nothing is told of, and the chat goes on", async () => {
    const store = make(new ScriptedModel(), {
      load: () => Promise.resolve(undefined),
      save: () => Promise.reject(new Error("no storage")),
    });
    await store.start();
    store.send("Is it red?", []);
    await settled();
    expect(store.get().saved).toBe(false);
    expect(lastAnswer(store).status).toBe("done");
  });
});
