// The list of conversations, and which of them is shown.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  asked,
  counting,
  idAt,
  lastAnswer,
  make,
  ScriptedModel,
  texts,
  titles,
  untilStopped,
} from "#testing/chat/chat-store.ts";
import { MemoryPersistence, SharedPlace } from "#testing/chat/memory-persistence.ts";
import type { ChatStore } from "./store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
/** Lets everything that is under way come to its end. */
const settled = () => vi.advanceTimersByTimeAsync(5);

describe("many conversations", () => {
  test("a new chat keeps the old one in the list, and opening that brings its turns back", async () => {
    const store = await asked(settled, counting(), "first");
    const { id } = store.get().conversation;
    store.newChat();
    store.send("second", []);
    await settled();
    expect(titles(store)).toEqual(["second", "first"]);
    await store.open(id);
    expect(texts(store)).toEqual(["first", "1"]);
  });

  test("an answer under way when another conversation is opened is stopped and kept as far as it came", async () => {
    const model = counting();
    const store = await asked(settled, model, "first");
    const { id } = store.get().conversation;
    store.newChat();
    model.answer = untilStopped;
    store.send("second", []);
    await settled();
    const second = store.get().conversation.id;
    await store.open(id);
    await settled();
    expect(texts(store)).toEqual(["first", "1"]);
    await store.open(second);
    expect(lastAnswer(store)).toMatchObject({ status: "stopped", text: "Well" });
  });

  test("an empty chat is in no list", async () => {
    const store = await asked(settled, counting());
    store.newChat();
    store.newChat();
    expect(titles(store)).toEqual([]);
  });

  test("a conversation is renamed, also while another one is shown, and an empty name gives the first question back", async () => {
    const store = await asked(settled, counting(), "first");
    const { id } = store.get().conversation;
    await store.rename(id, "  Cats ");
    expect(titles(store)).toEqual(["Cats"]);
    store.newChat();
    await store.rename(id, "Dogs");
    expect(titles(store)).toEqual(["Dogs"]);
    await store.rename(id, "");
    expect(titles(store)).toEqual(["first"]);
  });

  test("what was deleted can be brought back, and is shown again if it was", async () => {
    const store = await asked(settled, counting(), "first");
    const { id } = store.get().conversation;
    await store.remove(id);
    expect(titles(store)).toEqual([]);
    expect(store.get()).toMatchObject({ undo: "conversation", conversation: { turns: [] } });
    await store.undo();
    expect(titles(store)).toEqual(["first"]);
    expect(texts(store)).toEqual(["first", "1"]);
    expect(store.get().undo).toBeUndefined();
  });

  test("the next question ends the offer to bring something back", async () => {
    const store = await asked(settled, counting(), "first", "second");
    store.removeTurns(idAt(store, 0));
    expect(store.get().undo).toBe("turns");
    store.send("third", []);
    expect(store.get().undo).toBeUndefined();
  });
});

describe("what the page shows first", () => {
  const place = new SharedPlace();
  const visit = async (options: Parameters<ChatStore["restore"]>[0]): Promise<ChatStore> => {
    const store = make(new ScriptedModel(), new MemoryPersistence(place));
    await store.restore(options);
    return store;
  };
  const [first, second] = ["first", "second"].map((id) => ({
    id,
    turns: [{ role: "user" as const, id: `q-${id}`, text: `ask ${id}`, pictures: [] }],
  }));
  for (const conversation of [first, second])
    if (conversation !== undefined) place.kept.set(conversation.id, { conversation, revision: 1 });
  place.last = "second";

  test("is the conversation of the address, or else the last one", async () => {
    expect(texts(await visit({ wanted: "first" }))).toEqual(["ask first"]);
    expect(texts(await visit(undefined))).toEqual(["ask second"]);
  });

  test("is nothing where the address names none that is here, and the page says so", async () => {
    const store = await visit({ wanted: "elsewhere" });
    expect(store.get()).toMatchObject({ arrival: { kind: "missing" }, conversation: { turns: [] }, restored: true });
    expect(store.get().conversations).toHaveLength(2);
    store.dismissArrival();
    expect(store.get().arrival).toBeUndefined();
  });

  test("is not the conversation that ended its page, by itself or by its address; a click opens it", async () => {
    const suspects = new Set(["second"]);
    for (const wanted of [undefined, "second"]) {
      const store = await visit({ wanted, suspects });
      expect(store.get().arrival).toEqual({ kind: "crashed", id: "second", title: "ask second" });
      expect(texts(store)).toEqual([]);
      await store.open("second");
      expect(texts(store)).toEqual(["ask second"]);
      expect(store.get().arrival).toBeUndefined();
    }
    expect(texts(await visit({ wanted: "first", suspects }))).toEqual(["ask first"]);
  });
});
