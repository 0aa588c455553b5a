// What is computed ahead while a question is put together.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { GenerateRequest, PictureKinds } from "#engine/types.ts";
import type { Picture } from "#chat/conversation/conversation.ts";
import { done, loaded, play, ScriptedModel } from "#testing/chat/chat-store.ts";
import { MemoryPersistence } from "#testing/chat/memory-persistence.ts";
import { defaultSettings } from "#chat/settings.ts";
import { createChatStore, type ChatStore } from "./store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a question that is put together", () => {
  const plan = (store: ChatStore, text: string): void => store.prepare({ text, pictures: [] });
  const wait = () => vi.advanceTimersByTimeAsync(60);
  class PreparingModel extends ScriptedModel {
    readonly prepared: string[] = [];
    readonly signals: AbortSignal[] = [];
    prepare(request: GenerateRequest, signal: AbortSignal): Promise<PictureKinds> {
      this.prepared.push(JSON.stringify(request.messages.flatMap(({ parts }) => parts)));
      this.signals.push(signal);
      return new Promise(() => undefined);
    }
  }
  const said = (...texts: string[]): string => JSON.stringify(texts.map((text) => ({ type: "text", text })));
  let ids = 0;
  const open = (model: ScriptedModel): ChatStore =>
    createChatStore({
      client: model,
      persistence: new MemoryPersistence(),
      settings: defaultSettings({ knows: "basics" }),
      newId: () => String(ids++),
      saveEveryMs: 0,
      prepareAfterMs: 20,
    });

  test("is prepared a little after its last change, and dropped with the next", async () => {
    const model = new PreparingModel();
    const store = open(model);
    plan(store, "Wh");
    await wait();
    expect(model.prepared).toEqual([]);
    await store.start();
    await wait();
    plan(store, "Wha");
    plan(store, " What ");
    expect(model.signals.map(({ aborted }) => aborted)).toEqual([true]);
    await wait();
    expect(model.prepared).toEqual([said("Wh"), said("What")]);
    store.prepare(undefined);
    await wait();
    expect(model.signals.every(({ aborted }) => aborted)).toBe(true);
    expect(model.prepared).toHaveLength(2);
  });

  test("follows the conversation and the settings, and rests while an answer runs", async () => {
    const model = new PreparingModel();
    const store = open(model);
    await store.start();
    let goOn = (): void => undefined;
    model.answer = async function* () {
      await new Promise<void>((resolve) => (goOn = resolve));
      yield* play([{ type: "text", text: "Yes." }, done("eos")]);
    };
    store.send("One?", []);
    plan(store, "Two?");
    await wait();
    expect(model.prepared).toEqual([]);
    goOn();
    await wait();
    expect(model.prepared).toEqual([said("One?", "Yes.", "Two?")]);
    store.changeSettings({ ...store.get().settings, systemPrompt: "Be brief." });
    await wait();
    expect(model.prepared.at(-1)).toBe(said("Be brief.", "One?", "Yes.", "Two?"));
    store.newChat();
    await wait();
    expect(model.prepared.at(-1)).toBe(said("Be brief.", "Two?"));
    store.send("Two?", []);
    expect(model.signals.every(({ aborted }) => aborted)).toBe(true);
  });

  test("is never prepared by a server", async () => {
    const model = new PreparingModel();
    model.load = () => Promise.resolve({ ...loaded, device: "remote", host: "example.org" });
    const store = open(model);
    await store.start();
    plan(store, "Secret?");
    await wait();
    expect(model.prepared).toEqual([]);
  });

  test("tells which of its own pictures look like photographs, once that is known", async () => {
    const picture = (id: string): Picture => ({ id, name: id, blob: new Blob([id]) });
    const model = new PreparingModel();
    let answer: (kinds: PictureKinds) => void = () => undefined;
    model.prepare = () => new Promise((resolve) => (answer = resolve));
    const store = open(model);
    await store.start();
    store.send("Before?", [picture("sent")]);
    await wait();
    store.prepare({ text: "", pictures: [picture("a"), picture("b")] });
    await wait();
    expect(store.get().photographs).toEqual([]);
    answer(["photograph", "drawing", "photograph"]);
    await wait();
    expect(store.get().photographs).toEqual(["b"]);
    const shown = store.get();
    // A verdict that comes after the draft has changed is of another draft.
    store.prepare({ text: "Wh", pictures: [picture("a"), picture("b")] });
    await wait();
    store.prepare({ text: "Why", pictures: [picture("a")] });
    answer(["photograph", "photograph", "photograph"]);
    await wait();
    expect(store.get()).toBe(shown);
    // A model that does not tell, and one that saw nothing yet.
    for (const kinds of [[undefined, undefined], []]) {
      answer(kinds);
      await wait();
      expect(store.get().photographs).toEqual([]);
      store.prepare({ text: String(kinds.length), pictures: [picture("a")] });
      await wait();
    }
  });
});
