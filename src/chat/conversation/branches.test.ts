import fc from "fast-check";
import { expect, test } from "vitest";
import { allTurns, alternativesOf, branchFrom, removePair, showAlternative } from "./branches.ts";
import { joinConversations } from "./join.ts";
import type { Conversation, Turn } from "./conversation.ts";

let clock = 0;
const pair = (name: string): Turn[] => [
  { role: "user", id: `q-${name}`, text: name, pictures: [], at: ++clock },
  { role: "assistant", id: `a-${name}`, text: name, status: "done", at: ++clock },
];
const ids = (conversation: Conversation): string[] => conversation.turns.map((turn) => turn.id);
const three = (): Conversation => ({ id: "c", turns: [...pair("1"), ...pair("2"), ...pair("3")] });

test("deleting a pair keeps other ways to go on after it, and drops other answers to it", () => {
  const otherNext = branchFrom(three(), "q-2", pair("2b"));
  const otherAnswer = branchFrom(otherNext, "a-1", [{ role: "assistant", id: "a-1b", text: "b", status: "done" }]);
  const back = showAlternative(otherAnswer, "a-1b", 1);
  expect(ids(back)).toEqual(["q-1", "a-1", "q-2b", "a-2b"]);
  const rest = removePair(back, "q-1");
  expect(ids(rest)).toEqual(["q-2b", "a-2b"]);
  expect(alternativesOf(rest, "q-2b").count).toBe(2);
  expect(allTurns(rest).map((turn) => turn.id)).not.toContain("a-1b");
});

test("deleting the pair where the memory starts lets it start with the next", () => {
  const rest = removePair({ ...three(), memoryStart: "q-2" }, "q-2");
  expect(rest.memoryStart).toBe("q-3");
  expect(removePair({ ...three(), memoryStart: "q-3" }, "q-3").memoryStart).toBeUndefined();
});

test("where one tab only went on and the other did nothing, the conversation just goes on", () => {
  const theirs = three();
  const ours = { ...theirs, turns: theirs.turns.slice(0, 2) };
  expect(joinConversations(ours, theirs)).toEqual({ ...theirs, branches: [] });
});

test("a name that one tab gave is not lost when the other one saves", () => {
  expect(joinConversations(three(), { ...three(), title: "Cats" }).title).toBe("Cats");
});

test("of one answer in two states, the further one is kept", () => {
  const full: Turn = { role: "assistant", id: "a", text: "All of it.", status: "done" };
  const half: Turn = { role: "assistant", id: "a", text: "All", status: "stopped" };
  const question: Turn = { role: "user", id: "q", text: "?", pictures: [] };
  const ours = { id: "c", turns: [question, half] };
  const theirs = { id: "c", turns: [question, full] };
  expect(joinConversations(ours, theirs).turns[1]).toEqual(full);
  expect(joinConversations(theirs, ours).turns[1]).toEqual(full);
});

/** What a tab may do to a conversation. */
type Step = readonly ["ask" | "branch" | "page", number];
const steps: fc.Arbitrary<Step[]> = fc.array(fc.tuple(fc.constantFrom("ask", "branch", "page"), fc.nat(20)), {
  maxLength: 8,
});
function play(start: Conversation, list: readonly Step[], tab: string): Conversation {
  return list.reduce((conversation, [what, at], n): Conversation => {
    const fresh = pair(`${tab}-${n}-${clock}`);
    const turn = conversation.turns[at % Math.max(1, conversation.turns.length)];
    if (what === "ask" || turn === undefined) return { ...conversation, turns: [...conversation.turns, ...fresh] };
    if (what === "page") return showAlternative(conversation, turn.id, at % 2 === 0 ? 1 : -1);
    return branchFrom(conversation, turn.id, turn.role === "user" ? fresh : fresh.slice(1));
  }, start);
}

test("whatever two tabs do to one conversation, joining loses no turn, makes none twice, and shows what ours showed", () => {
  fc.assert(
    fc.property(steps, steps, steps, (before, one, two) => {
      const start = play({ id: "c", turns: [] }, before, "start");
      const ours = play(start, one, "one");
      const theirs = play(start, two, "two");
      const joined = joinConversations(ours, theirs);
      const held = allTurns(joined).map((turn) => turn.id);
      expect(new Set(held).size).toBe(held.length);
      expect(new Set(held)).toEqual(new Set([...allTurns(ours), ...allTurns(theirs)].map((turn) => turn.id)));
      expect(ids(joined).slice(0, ours.turns.length)).toEqual(ids(ours));
      // Every branch hangs on a turn that is there.
      for (const { after } of joined.branches ?? []) expect(after === "" || held.includes(after)).toBe(true);
    }),
  );
});

test("paging to the end and back shows every alternative once, in one order", () => {
  let conversation: Conversation = { id: "c", turns: pair("x") };
  for (const name of ["y", "z"]) conversation = branchFrom(conversation, conversation.turns[0]?.id ?? "", pair(name));
  const seen: string[][] = [];
  for (let i = 0; i < 3; i++) {
    seen.unshift(ids(conversation));
    conversation = showAlternative(conversation, conversation.turns[0]?.id ?? "", -1);
  }
  expect(seen.map((path) => path[0])).toEqual(["q-x", "q-y", "q-z"]);
});
