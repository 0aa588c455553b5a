import { expect, test } from "vitest";
import { allTurns, alternativesOf } from "./branches.ts";
import { joinConversations } from "./join.ts";
import type { AssistantTurn, Conversation, Turn, UserTurn } from "./conversation.ts";

const question = (id: string, text: string, more: Partial<UserTurn> = {}): UserTurn => ({
  role: "user",
  id,
  text,
  pictures: [],
  at: 1,
  ...more,
});
const answer = (id: string, text: string, more: Partial<AssistantTurn> = {}): AssistantTurn => ({
  role: "assistant",
  id,
  text,
  status: "done",
  reason: "eos",
  at: 2,
  ...more,
});
const talk = (...turns: Turn[]): Conversation => ({ id: "c", turns });
const here = talk(question("q1", "How many?"), answer("a1", "Three."), question("q2", "Sure?"), answer("a2", "Yes."));
const words = (conversation: Conversation): string[] => conversation.turns.map(({ text }) => text);

test.each([
  ["another answer", "Four."],
  ["an answer that only begins the same", "Three. And a dog."],
  ["a shorter answer", "Thr"],
])("%s with the same id stands beside the one that is here, which stays shown", (_, text) => {
  const backup = talk(question("q1", "How many?"), answer("a1", text), question("q2", "Sure?"), answer("a2", "Yes."));
  const joined = joinConversations(here, backup);
  expect(words(joined)).toEqual(words(here));
  expect(alternativesOf(joined, "a1").count).toBe(2);
  expect(joined.branches).toMatchObject([{ after: "q1", turns: [{ text }] }]);
  // Restored once more, nothing is added.
  expect(joinConversations(joined, backup)).toEqual(joined);
});

test("another question with the same id keeps its answer, beside the ones that are here", () => {
  const joined = joinConversations(here, talk(question("q1", "How many dogs?"), answer("a1", "Three.")));
  expect(words(joined)).toEqual(words(here));
  expect(joined.branches).toMatchObject([{ after: "", turns: [{ text: "How many dogs?" }, { text: "Three." }] }]);
  expect(new Set(allTurns(joined).map(({ id }) => id)).size).toBe(6);
});

test("what hung on a changed answer hangs on it still", () => {
  const backup: Conversation = {
    ...talk(question("q1", "How many?"), answer("a1", "Four."), question("q3", "Where?"), answer("a3", "There.")),
    branches: [{ after: "a1", turns: [question("q4", "Which?"), answer("a4", "That.")] }],
  };
  const joined = joinConversations(here, backup);
  const changed = joined.branches?.find(({ after }) => after === "q1")?.turns ?? [];
  expect(changed.map(({ text }) => text)).toEqual(["Four.", "Where?", "There."]);
  expect(joined.branches).toContainEqual(expect.objectContaining({ after: changed[0]?.id }));
});

test.each<[string, Partial<AssistantTurn>, Partial<AssistantTurn>]>([
  ["was stopped", { status: "stopped", text: "Thr" }, {}],
  ["reached its length", { reason: "length", text: "Thr" }, { reason: "eos" }],
  ["is under way", { status: "running", text: "Thr" }, {}],
  ["failed without a word", { status: "failed", text: "" }, {}],
])("an answer that %s here, and is whole there, is the whole one", (_, ours, theirs) => {
  const joined = joinConversations(
    talk(question("q1", "How many?"), answer("a1", "Three.", ours)),
    talk(question("q1", "How many?"), answer("a1", "Three.", theirs)),
  );
  expect(words(joined)).toEqual(["How many?", "Three."]);
  expect(joined.branches ?? []).toEqual([]);
});

test("a picture that is lost here comes back from a backup", () => {
  const picture = { id: "p", name: "p.png", blob: new Blob(["p"]) };
  const joined = joinConversations(here, talk(question("q1", "How many?", { pictures: [picture] })));
  expect(joined.turns[0]).toMatchObject({ pictures: [{ name: "p.png" }] });
});
