// Changes to a conversation that ask no model.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { alternativesOf } from "#chat/conversation/branches.ts";
import type { AssistantTurn } from "#chat/conversation/conversation.ts";
import { asked, counting, idAt, texts } from "#testing/chat/chat-store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
/** Lets everything that is under way come to its end. */
const settled = () => vi.advanceTimersByTimeAsync(5);

describe("opinions", () => {
  test("stay with the answer, change, and are taken back by the same once more", async () => {
    const store = await asked(settled, counting(), "first");
    const opinion = () => {
      const turn = store.get().conversation.turns[1];
      return turn?.role === "assistant" ? turn.opinion : "no answer";
    };
    store.judge(idAt(store, 1), "up");
    expect(opinion()).toBe("up");
    store.judge(idAt(store, 1), "down");
    expect(opinion()).toBe("down");
    store.judge(idAt(store, 1), "down");
    expect(opinion()).toBeUndefined();
  });

  test("a flag goes with a thumb, and neither takes the other away", async () => {
    const store = await asked(settled, counting(), "first");
    const judged = () => store.get().conversation.turns[1];
    store.judge(idAt(store, 1), "up");
    store.judge(idAt(store, 1), "flag");
    expect(judged()).toMatchObject({ opinion: "up", flagged: true });
    store.judge(idAt(store, 1), "down");
    expect(judged()).toMatchObject({ opinion: "down", flagged: true });
    store.judge(idAt(store, 1), "flag");
    expect(judged()).toMatchObject({ opinion: "down" });
    expect(judged()).not.toHaveProperty("flagged");
  });
});

describe("an answer from elsewhere", () => {
  const other: AssistantTurn = {
    role: "assistant",
    id: "x",
    text: "Elsewhere.",
    status: "done",
    model: { id: "o", name: "O" },
  };

  test("to the last question stands beside the one that was there", async () => {
    const store = await asked(settled, counting(), "first");
    store.adopt(other, undefined);
    expect(texts(store)).toEqual(["first", "Elsewhere."]);
    expect(alternativesOf(store.get().conversation, idAt(store, 1))).toEqual({ index: 1, count: 2 });
    store.page(idAt(store, 1), -1);
    expect(texts(store)).toEqual(["first", "1"]);
  });

  test("to another question brings it along", async () => {
    const store = await asked(settled, counting(), "first");
    store.adopt(other, { text: "second", pictures: [] });
    expect(texts(store)).toEqual(["first", "1", "second", "Elsewhere."]);
    expect(store.get().conversation.turns[3]).toMatchObject({ model: { name: "O" } });
  });

  test("is not taken while another one is under way", async () => {
    const store = await asked(settled, counting(), "first");
    store.send("second", []);
    store.adopt(other, { text: "third", pictures: [] });
    expect(texts(store)).not.toContain("third");
  });
});
