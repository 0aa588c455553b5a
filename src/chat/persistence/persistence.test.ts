// The list of conversations, and the persistence in memory that the store's tests use; the browser's is in e2e/chat/chat-storage.spec.ts.
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Conversation } from "#chat/conversation/conversation.ts";
import { MemoryPersistence, SharedPlace } from "#testing/chat/memory-persistence.ts";
import { persistenceContract } from "#testing/chat/persistence-contract.ts";
import { summarize } from "./persistence.ts";

afterEach(() => void vi.useRealTimers());

describe("the persistence in memory", () => {
  test.for(persistenceContract)("$name", async ({ run }) => {
    const place = new SharedPlace();
    await run({ openTab: () => new MemoryPersistence(place), setClock: (now) => vi.setSystemTime(now) });
  });
});

const conversation: Conversation = {
  id: "c",
  updatedAt: 5,
  title: "A name",
  turns: [
    { role: "user", id: "q", text: "What?", pictures: [] },
    { role: "assistant", id: "a", text: "A cat.", status: "done" },
  ],
};

test("a conversation is called by its name, else by its first question, and found by every word", () => {
  expect(summarize(conversation)).toMatchObject({ id: "c", title: "A name", updatedAt: 5 });
  const nameless = { ...conversation, title: undefined };
  expect(summarize(nameless).title).toBe("What?");
  expect(summarize(nameless).words).toContain("a cat.");
  expect(summarize({ ...nameless, turns: [] }).title).toBe("");
  const long = { role: "user", id: "q", text: "word ".repeat(50), pictures: [] } as const;
  expect(summarize({ ...nameless, turns: [long] }).title).toMatch(/^(word ?){10,}…$/);
  const wordless = {
    role: "user",
    id: "q",
    text: "",
    pictures: [{ id: "p", name: "cat.png", blob: new Blob() }],
  } as const;
  expect(summarize({ ...nameless, turns: [wordless] }).title).toBe("cat.png");
});
