import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Conversation } from "#chat/conversation/conversation.ts";
import { ConversationStep, createRedoJournal, toJournal } from "./redo-journal.web.ts";

const conversation: Conversation = { id: "c", turns: [] };

test("of the changes that a page had begun, every conversation's last save is journaled, in its place, with the revisions of all", () => {
  const save = (id: string, revision: string) =>
    ({ op: "save", conversation: { ...conversation, id }, revision }) as const;
  const steps = [save("a", "1"), { op: "remove", id: "b" }, save("c", "2"), save("a", "3")] as const;
  const journal: Parameters<typeof toJournal>[1] = (step, own) => ({
    op: "save",
    id: step.conversation.id,
    own,
    value: step.revision,
  });
  expect(toJournal(steps, journal)).toEqual([
    { op: "remove", id: "b" },
    { op: "save", id: "c", own: ["2"], value: "2" },
    { op: "save", id: "a", own: ["1", "3"], value: "3" },
  ]);
});

/** As much of the browser's localStorage as the journal uses. */
class FakeStorage {
  readonly items = new Map<string, string>();
  get length(): number {
    return this.items.size;
  }
  key = (index: number): string | null => [...this.items.keys()][index] ?? null;
  getItem = (key: string): string | null => this.items.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.items.set(key, value);
  removeItem = (key: string): void => void this.items.delete(key);
}

let storage = new FakeStorage();
beforeEach(() => {
  storage = new FakeStorage();
  vi.stubGlobal("localStorage", storage);
});
afterEach(() => void vi.unstubAllGlobals());

test("a page reads what others wrote and not its own, and what it forgets is gone", () => {
  const step = { op: "remove", id: "c" } as const;
  const [one, two] = [createRedoJournal("j", "one", ConversationStep), createRedoJournal("j", "two", ConversationStep)];
  one.write([{ op: "last", id: "x" }]);
  one.write([step]);
  expect(one.ofOtherPages()).toEqual([]);
  const [entry] = two.ofOtherPages();
  expect(entry?.steps).toEqual([step]);
  entry?.forget();
  expect(two.ofOtherPages()).toEqual([]);
  two.write([step]);
  two.clear();
  expect(storage.items.size).toBe(0);
});

test("an entry that is no journal has no steps, and the others are read", () => {
  storage.setItem("j:broken", "{");
  storage.setItem("j:unknown", JSON.stringify([{ op: "explode", id: "c" }]));
  storage.setItem("other:one", JSON.stringify([{ op: "remove", id: "c" }]));
  storage.setItem("j:good", JSON.stringify([{ op: "restore", id: "c" }]));
  const steps = createRedoJournal("j", "me", ConversationStep)
    .ofOtherPages()
    .map((entry) => entry.steps);
  expect(steps).toEqual([[], [], [{ op: "restore", id: "c" }]]);
});

test("a browser that stores nothing has an empty journal, and nothing throws", () => {
  vi.stubGlobal("localStorage", undefined);
  const journal = createRedoJournal("j", "one", ConversationStep);
  journal.write([{ op: "remove", id: "c" }]);
  journal.clear();
  expect(journal.ofOtherPages()).toEqual([]);
});
