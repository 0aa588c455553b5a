// Questions and their answers, and what becomes of those that fail.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EngineError } from "#engine/errors.ts";
import {
  asked,
  counting,
  done,
  lastAnswer,
  make,
  play,
  ScriptedModel,
  untilStopped,
} from "#testing/chat/chat-store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
/** Lets everything that is under way come to its end. */
const settled = () => vi.advanceTimersByTimeAsync(5);

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

describe("memory", () => {
  test("the oldest turns can be left out: they stay to be read, the model gets the rest and the last picture", async () => {
    const model = new ScriptedModel();
    model.answer = () => play([{ type: "text", text: "word ".repeat(60) }, done("eos")]);
    const store = make(model);
    await store.start();
    const picture = { id: "p", name: "cat.png", blob: new Blob(["cat"]) };
    store.send("first", [picture]);
    await settled();
    store.send("second", []);
    await settled();
    store.send("third", [], { forgetOldest: true });
    await settled();
    expect(store.get().conversation.turns).toHaveLength(6);
    const messages = model.requests.at(-1)?.messages ?? [];
    expect(messages.length).toBeLessThan(5);
    expect(messages[0]?.parts[0]).toMatchObject({ type: "image" });
  });

  test("a question that did not fit is answered after the oldest were left out", async () => {
    const model = counting();
    const store = await asked(settled, model, "first", "second");
    const good = model.answer;
    model.answer = () => play([], new EngineError("context-full", "too long"));
    store.send("third", []);
    await settled();
    model.answer = good;
    store.forgetAndRetry();
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "3" });
    expect(model.requests.at(-1)?.messages.length).toBeLessThan(5);
  });
});
