// What is saved of a conversation, and what the page says where it could not be.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { counting, lastAnswer, make, ScriptedModel, untilStopped } from "#testing/chat/chat-store.ts";
import { MemoryPersistence } from "#testing/chat/memory-persistence.ts";
import { defaultSettings } from "#chat/settings.ts";
import { createChatStore } from "./store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
/** Lets everything that is under way come to its end. */
const settled = () => vi.advanceTimersByTimeAsync(5);

describe("keeping", () => {
  test("the conversation comes back, and an answer that ran counts as stopped", async () => {
    const persistence = new MemoryPersistence();
    const model = new ScriptedModel();
    model.answer = untilStopped;
    const store = make(model, persistence);
    await store.start();
    store.send("Is it red?", []);
    await settled();
    const later = make(new ScriptedModel(), new MemoryPersistence(persistence.place));
    await later.restore();
    expect(later.get().conversation.turns).toHaveLength(2);
    expect(lastAnswer(later)).toMatchObject({ status: "stopped", text: "Well" });
  });

  test("a question that still waited is answered on the next visit", async () => {
    const persistence = new MemoryPersistence();
    make(new ScriptedModel(), persistence).send("Is it red?", []);
    const later = make(new ScriptedModel(), new MemoryPersistence(persistence.place));
    await later.restore();
    await later.start();
    await settled();
    expect(lastAnswer(later)).toMatchObject({ status: "done", text: "Yes." });
  });

  test("words that were not saved yet are when the page goes", async () => {
    const persistence = new MemoryPersistence();
    const model = new ScriptedModel();
    model.answer = untilStopped;
    const store = createChatStore({
      client: model,
      persistence,
      settings: defaultSettings({ knows: "basics" }),
      newId: () => crypto.randomUUID(),
      saveEveryMs: 60_000,
    });
    await store.start();
    store.send("Is it red?", []);
    await settled();
    const kept = () => [...persistence.place.kept.values()].map(({ conversation }) => conversation.turns.at(-1)?.text);
    expect(kept()).toEqual([""]);
    let noted: unknown;
    persistence.noteUnfinished = () => {
      noted = kept();
    };
    store.noteUnfinished();
    expect(noted).toEqual(["Well"]);
    store.stop();
  });

  test("a browser that keeps nothing is told of, and the chat goes on", async () => {
    const persistence = new MemoryPersistence();
    persistence.save = () => Promise.reject(new Error("no storage"));
    const store = make(new ScriptedModel(), persistence);
    await store.start();
    store.send("Is it red?", []);
    await settled();
    expect(store.get().unsaved).toEqual({ cause: "blocked", turns: 2, isPart: false, pictures: 0 });
    expect(lastAnswer(store).status).toBe("done");
  });

  test("where the room ends, what is kept and what is not is told, and forgotten when there is room again", async () => {
    const persistence = new MemoryPersistence();
    const { save } = persistence;
    const store = make(counting(), persistence);
    await store.start();
    store.send("first", []);
    await settled();
    expect(store.get().unsaved).toBeUndefined();
    persistence.save = () => Promise.reject(new DOMException("full", "QuotaExceededError"));
    store.send("second", []);
    await settled();
    expect(store.get().unsaved).toEqual({ cause: "full", turns: 2, isPart: true, pictures: 0 });
    persistence.save = save;
    persistence.unsavedPictures = 1;
    store.send("third", []);
    await settled();
    expect(store.get().unsaved).toEqual({ cause: "full", turns: 0, isPart: true, pictures: 1 });
    persistence.unsavedPictures = 0;
    store.send("fourth", []);
    await settled();
    expect(store.get().unsaved).toBeUndefined();
  });
});
