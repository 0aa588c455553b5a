// What is taught of examples: the split, the questions, and how conversations are packed.
import { expect, test } from "vitest";
import { createRandom } from "#engine/text/sampler.ts";
import { contradictionsOf, problemsOf } from "./problems.ts";
import { lessonsOf, nameOf } from "./questions.ts";
import { packRows } from "./rows.ts";
import { choosingIn, split } from "./split.ts";
import type { TeachExample } from "./types.ts";

const example = (id: string, answer: string, question = "What is this?"): TeachExample => ({
  id,
  picture: new Blob([id]),
  turns: [{ question, answer }],
});
const ids = (examples: readonly TeachExample[]): string[] => examples.map(({ id }) => id);

test("of each answer a part is held out, at least one where there are two, and the same for the same seed", () => {
  const examples = [
    ...["a", "b", "c", "d", "e", "f", "g", "h"].map((id) => example(id, "Rex")),
    ...["i", "j"].map((id) => example(id, "my cup.")),
    example("k", "My cup"),
    example("l", "Mimi"),
  ];
  const first = split(examples, 0.25, createRandom(3));
  expect(first.heldOut.map(({ turns }) => turns[0]?.answer.toLowerCase().replace(".", ""))).toEqual([
    "rex",
    "rex",
    "my cup",
  ]);
  expect([...ids(first.trained), ...ids(first.heldOut)].sort()).toEqual(ids(examples));
  expect(split(examples, 0.25, createRandom(3))).toEqual(first);
  expect(split(examples, 0, createRandom(3)).heldOut).toEqual([]);
});

test("where every answer can spare them, others than those held out choose; else those held out do", () => {
  const many = (name: string, count: number) => Array.from({ length: count }, (_, i) => example(`${name}${i}`, name));
  const parts = split([...many("Rex", 10), ...many("Bella", 20), example("one", "Mimi")], 0.25, createRandom(3));
  const count = (of: readonly TeachExample[]) => ["Rex", "Bella", "Mimi"].map((name) => of.filter(({ turns }) => turns[0]?.answer === name).length); // prettier-ignore
  expect([parts.heldOut, parts.choosing, parts.trained].map(count)).toEqual([
    [2, 5, 0],
    [1, 2, 0],
    [7, 13, 1],
  ]);
  expect(choosingIn(parts)).toBe(parts.choosing);
  const few = split([...many("Rex", 10), ...many("Bella", 5)], 0.25, createRandom(3));
  expect(few.choosing).toEqual([]);
  expect(choosingIn(few)).toBe(few.heldOut);
  const all = split(many("Rex", 10), 0, createRandom(3));
  expect(all.choosing).toEqual([]);
  expect(choosingIn(all)).toBe(all.trained);
});

test("a name gets other wordings, yes and no; a sentence is taught in the person's own words alone", () => {
  const lessons = lessonsOf(example("a", "Rex.", "Who is this?"), ["Rex", "Bella"], createRandom(1));
  expect(lessons[0]).toEqual({ turns: [{ question: "Who is this?", answer: "Rex." }], weight: 2 });
  const said = lessons.map(({ turns }) => `${turns[0]?.question ?? ""} ${turns[0]?.answer ?? ""}`);
  expect(said).toContain("Is this Rex? Yes.");
  expect(said.filter((text) => text.endsWith("No."))).toHaveLength(1);
  expect(said.filter((text) => text.endsWith("Rex."))).toHaveLength(3);
  expect(nameOf(example("b", "Yes", "Is there a defect?"))).toBeUndefined();
  const own = example("c", "It has a crack at the left edge.");
  expect(lessonsOf(own, [], createRandom(1))).toEqual([{ turns: own.turns, weight: 2 }]);
});

test("conversations are packed behind their common beginning, each with the positions it has alone", () => {
  const spoken = [
    { slots: [1, -1, -1, 5, 6, 7, 2], answerTokens: 2, weight: 1 },
    { slots: [1, -1, -1, 5, 8, 9, 7, 2], answerTokens: 3, weight: 2 },
  ];
  const [pack, ...rest] = packRows(spoken, 64);
  expect(rest).toEqual([]);
  expect(pack?.slots).toEqual([1, -1, -1, 5, 6, 7, 8, 9, 7]);
  expect([...(pack?.positions ?? [])]).toEqual([0, 1, 2, 3, 4, 5, 4, 5, 6]);
  expect([...(pack?.targets ?? [])]).toEqual([7, 2, 9, 7, 2]);
  expect([...(pack?.weights ?? [])]).toEqual([0.5, 0.5, 2 / 3, 2 / 3, 2 / 3].map(Math.fround));
  // Too long together, they are two rows.
  expect(packRows(spoken, 8).map(({ slots }) => slots.length)).toEqual([6, 7]);
});

test("what can't be taught is told: too few pictures, empty words, and two answers to one picture", async () => {
  expect(problemsOf([example("a", "Rex"), example("b", " ")])).toEqual([
    { kind: "too-few-pictures", pictures: 2, least: 4 },
    { kind: "empty-text", id: "b" },
  ]);
  const hashOf = (): Promise<string> => Promise.resolve("same");
  expect(await contradictionsOf([example("a", "Rex"), example("b", "rex."), example("c", "Bella")], hashOf)).toEqual([
    { kind: "contradiction", ids: ["b", "c"], question: "What is this?" },
  ]);
});
