import { expect, test } from "vitest";
import { budgetOf, estimateTextTokens, forgetOldest } from "./budget.ts";
import { picturesCarriedOver, turnsInMemory, type Conversation, type Turn } from "./conversation.ts";

const size = { contextLength: 512, imageTokens: 100 };
const nothing = { text: "", pictures: [] };
const picture = { id: "p", name: "p.png", blob: new Blob() };
const pair = (name: string, words: number, pictures = 0): Turn[] => [
  { role: "user", id: `q-${name}`, text: name, pictures: Array.from({ length: pictures }, () => picture) },
  { role: "assistant", id: `a-${name}`, text: "word ".repeat(words), status: "done" },
];

test("other scripts and pictures cost more than plain words", () => {
  expect(estimateTextTokens("一只猫")).toBeGreaterThan(estimateTextTokens("cat"));
  const empty: Conversation = { id: "c", turns: [] };
  const plain = budgetOf(empty, { text: "What?", pictures: [] }, size).usedTokens;
  expect(budgetOf(empty, { text: "What?", pictures: [picture] }, size).usedTokens).toBe(plain + 102);
});

test("what the model has counted is taken as it is; only what came after is estimated", () => {
  const usage = { promptTokens: 300, cachedTokens: 0, imageTokens: 0, newTokens: 50 };
  const turns = pair("a", 500).map((turn) => (turn.role === "assistant" ? { ...turn, usage } : turn));
  expect(budgetOf({ id: "c", turns }, nothing, size)).toMatchObject({ usedTokens: 350, state: "enough" });
  expect(budgetOf({ id: "c", turns }, { text: "word ".repeat(60), pictures: [] }, size).state).toBe("tight");
  expect(budgetOf({ id: "c", turns }, { text: "", pictures: [picture, picture] }, size).state).toBe("full");
});

test("leaving out the oldest frees half of the memory and keeps the last question", () => {
  const turns = [...pair("a", 60), ...pair("b", 60), ...pair("c", 60), ...pair("d", 10)];
  const shorter = forgetOldest({ id: "c", turns }, size);
  expect(shorter?.memoryStart).toBe("q-c");
  expect(shorter === undefined ? [] : turnsInMemory(shorter)).toHaveLength(4);
  expect(forgetOldest({ id: "c", turns: pair("a", 900) }, size)).toBeUndefined();
  expect(forgetOldest({ id: "c", turns: [...pair("a", 9), ...pair("b", 900)] }, size)?.memoryStart).toBe("q-b");
});

test("the picture last shown stays, unless what is left has one of its own", () => {
  const turns = [...pair("a", 60, 1), ...pair("b", 60), ...pair("c", 60)];
  expect(picturesCarriedOver({ turns, memoryStart: "q-c" })).toEqual([picture]);
  expect(picturesCarriedOver({ turns: [...turns, ...pair("d", 1, 1)], memoryStart: "q-c" })).toEqual([]);
  expect(picturesCarriedOver({ turns })).toEqual([]);
});
