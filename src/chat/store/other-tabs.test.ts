// Two tabs that show the same conversation.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { allTurns, alternativesOf } from "#chat/conversation/branches.ts";
import { counting, idAt, make, texts } from "#testing/chat/chat-store.ts";
import { MemoryPersistence, SharedPlace } from "#testing/chat/memory-persistence.ts";
import { defaultSettings } from "#chat/settings.ts";
import { createChatStore, type ChatStore } from "./store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
/** Lets everything that is under way come to its end. */
const settled = () => vi.advanceTimersByTimeAsync(5);

describe("two tabs", () => {
  const twoTabs = async (): Promise<readonly [ChatStore, ChatStore, SharedPlace]> => {
    const place = new SharedPlace();
    const one = make(counting(), new MemoryPersistence(place));
    await one.start();
    one.send("shared", []);
    await settled();
    let id = 0;
    const two = createChatStore({
      client: counting(),
      persistence: new MemoryPersistence(place),
      settings: defaultSettings({ knows: "basics" }),
      newId: () => `two-${++id}`,
      saveEveryMs: 0,
    });
    await two.restore();
    await two.start();
    return [one, two, place];
  };
  const followed = () => vi.advanceTimersByTimeAsync(350);

  test("what one tab adds appears in the other that shows the same conversation", async () => {
    const [one, two] = await twoTabs();
    one.send("more", []);
    await followed();
    expect(texts(two)).toEqual(["shared", "1", "more", "2"]);
  });

  test("two tabs that go on at the same time keep both, and the later one says so", async () => {
    const [one, two] = await twoTabs();
    one.send("from one", []);
    two.send("from two", []);
    await settled();
    expect(texts(two)).toEqual(["shared", "1", "from two", "1"]);
    const { index, count } = alternativesOf(two.get().conversation, idAt(two, 2));
    expect(count).toBe(2);
    expect(two.get().joined).toBe(true);
    two.page(idAt(two, 2), index === 0 ? 1 : -1);
    expect(texts(two).slice(0, 3)).toEqual(["shared", "1", "from one"]);
  });

  /** Everything in the kept conversation, whatever is shown. */
  const keptWords = (place: SharedPlace): string[] =>
    [...place.kept.values()].flatMap(({ conversation }) => allTurns(conversation).map(({ text }) => text)).sort();

  test("a question brought back here takes nothing away that another tab asked since", async () => {
    const [one, two, place] = await twoTabs();
    one.send("second", []);
    await followed();
    two.removeTurns(idAt(two, 2));
    await followed();
    expect(texts(one)).toEqual(["shared", "1"]);
    one.send("since", []);
    await followed();
    expect(texts(two)).toEqual(["shared", "1", "since", "3"]);
    await two.undo();
    await settled();
    expect(keptWords(place)).toEqual(["1", "2", "3", "second", "shared", "since"]);
    expect(texts(two)).toEqual(["shared", "1", "second", "2"]);
    expect(two.get().joined).toBe(true);
  });

  test("brought back after another conversation was opened, the question is back in its own", async () => {
    const [one, , place] = await twoTabs();
    const { id } = one.get().conversation;
    one.send("second", []);
    await settled();
    one.removeTurns(idAt(one, 2));
    place.kept.set("other", { conversation: { id: "other", turns: [] }, revision: 0 });
    await one.open("other");
    await one.undo();
    expect(one.get().conversation.id).toBe("other");
    await one.open(id);
    expect(texts(one)).toEqual(["shared", "1", "second", "2"]);
  });

  test("a conversation that another tab deletes while this one answers stays deleted, and the reader may keep it", async () => {
    const [one, two, place] = await twoTabs();
    const { id } = one.get().conversation;
    await two.remove(id);
    one.send("still here", []);
    await settled();
    expect(place.kept.has(id)).toBe(false);
    expect(one.get()).toMatchObject({ deletedElsewhere: true, conversations: [] });
    expect(texts(one)).toEqual(["shared", "1", "still here", "2"]);
    await one.keepDeleted();
    expect(one.get().deletedElsewhere).toBe(false);
    expect(keptWords(place)).toEqual(["1", "2", "shared", "still here"]);
  });

  test("a deletion taken back in the other tab brings back what was said here meanwhile", async () => {
    const [one, two, place] = await twoTabs();
    await two.remove(one.get().conversation.id);
    await followed();
    expect(one.get().deletedElsewhere).toBe(true);
    one.send("meanwhile", []);
    await settled();
    await two.undo();
    await followed();
    expect(one.get().deletedElsewhere).toBe(false);
    expect(keptWords(place)).toEqual(["1", "2", "meanwhile", "shared"]);
  });
});
