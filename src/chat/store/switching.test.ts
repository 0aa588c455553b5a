// Another model goes on with the conversation.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EngineError } from "#engine/errors.ts";
import { RemoteError } from "#remote/http/errors.ts";
import type { ReadyModel } from "#chat/models/model-client.ts";
import { asked, done, lastAnswer, loaded, make, play, ScriptedModel, texts } from "#testing/chat/chat-store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
/** Lets everything that is under way come to its end. */
const settled = () => vi.advanceTimersByTimeAsync(5);

describe("another model", () => {
  const remote: ReadyModel = { ...loaded, id: "big", name: "Big", device: "remote", host: "gpu.example" };
  const big = (): ScriptedModel => {
    const model = new ScriptedModel();
    model.load = () => Promise.resolve(remote);
    model.answer = () => play([{ type: "text", text: "From afar." }, done("eos")]);
    return model;
  };

  test("goes on with the same conversation, and every answer says who gave it", async () => {
    const small = new ScriptedModel();
    const store = await asked(settled, small, "first");
    const other = big();
    await store.switchModel(other);
    store.send("second", []);
    await settled();
    expect(texts(store)).toEqual(["first", "Yes.", "second", "From afar."]);
    expect(other.requests[0]?.messages).toHaveLength(3);
    expect(lastAnswer(store)).toMatchObject({ device: "remote", model: { id: "big", host: "gpu.example" } });
    expect(store.get().conversation.turns[1]).toMatchObject({ device: "wasm", model: { id: "m", name: "M" } });
  });

  test("switching back to a model that is loaded takes no second load", async () => {
    const small = new ScriptedModel();
    const store = await asked(settled, small, "first");
    await store.switchModel(big());
    await store.switchModel(small);
    expect(store.get().model).toMatchObject({ phase: "ready", model: { id: "m" } });
    expect(small.loads).toBe(1);
  });

  test("an answer under way is finished by the model that began it", async () => {
    const small = new ScriptedModel();
    let release = (): void => undefined;
    small.answer = async function* () {
      yield { type: "text", text: "Slow" };
      await new Promise<void>((resolve) => (release = resolve));
      yield done("eos");
    };
    const store = make(small);
    await store.start();
    store.send("first", []);
    await settled();
    await store.switchModel(big());
    expect(lastAnswer(store).status).toBe("running");
    release();
    await settled();
    expect(lastAnswer(store)).toMatchObject({ status: "done", text: "Slow", model: { id: "m" } });
  });

  test("one that is left while it loads does not take the place of the chosen one", async () => {
    const slow = new ScriptedModel();
    let release = (): void => undefined;
    slow.load = async (onEvent) => {
      await new Promise<void>((resolve) => (release = resolve));
      onEvent({ type: "download", loaded: 10, total: 10, stored: 0 });
      return loaded;
    };
    const store = make(slow);
    const starting = store.start();
    await store.switchModel(big());
    release();
    await starting;
    expect(store.get().model).toMatchObject({ phase: "ready", model: { id: "big" } });
    await store.switchModel(slow);
    expect(store.get().model).toMatchObject({ phase: "ready", model: { id: "m" } });
  });

  test("the death of a model that is not chosen is no news, but it is loaded again when it is chosen", async () => {
    const small = new ScriptedModel();
    const store = await asked(settled, small, "first");
    await store.switchModel(big());
    small.died?.(new EngineError("worker-dead", "crashed"));
    expect(store.get().model).toMatchObject({ phase: "ready", model: { id: "big" } });
    await store.switchModel(small);
    expect(small.loads).toBe(2);
  });

  test("a server that is gone fails the answer with its own code, and the answer can be asked for again", async () => {
    const model = big();
    const good = model.answer;
    model.answer = () => play([], new RemoteError("server-unreachable", "no connection"));
    const store = make(model);
    await store.start();
    store.send("first", []);
    await settled();
    expect(lastAnswer(store).failure?.code).toBe("server-unreachable");
    expect(store.get().model.phase).toBe("ready");
    model.answer = good;
    store.retry();
    await settled();
    expect(lastAnswer(store).status).toBe("done");
  });
});
