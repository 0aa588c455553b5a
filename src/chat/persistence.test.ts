import { expect, test } from "vitest";
import type { Conversation } from "./conversation.ts";
import { fromStored, parseStored, pictureIds, toStored } from "./persistence.ts";

const blob = new Blob(["bytes"]);
const conversation: Conversation = {
  id: "c",
  turns: [
    { role: "user", id: "q", text: "What?", pictures: [{ id: "p", name: "cat.png", blob }] },
    {
      role: "assistant",
      id: "a",
      text: "A cat.",
      status: "done",
      stage: { stage: "decode", done: 1, total: 1 },
      device: "wasm",
      reason: "eos",
      usage: { promptTokens: 1, cachedTokens: 0, imageTokens: 4, newTokens: 3 },
      timings: { imageMs: 1, visionMs: 1, prefillMs: 1, decodeMs: 1, firstTokenMs: 3, totalMs: 4 },
    },
    { role: "user", id: "q2", text: "Again?", pictures: [] },
    { role: "assistant", id: "a2", text: "", status: "failed", failure: { code: "device-lost", detail: "gone" } },
  ],
};

test("a conversation survives being kept, but for what is of the moment", () => {
  const stored = parseStored(structuredClone(toStored(conversation)));
  expect(stored).toBeDefined();
  if (stored === undefined) return;
  expect(pictureIds(stored)).toEqual(["p"]);
  const back = fromStored(stored, new Map([["p", blob]]));
  const turns = conversation.turns.map((turn) => {
    if (turn.role === "user") return turn;
    const kept = { ...turn };
    delete kept.stage;
    return kept;
  });
  expect(back).toEqual({ ...conversation, turns });
});

test("what is kept holds no picture's bytes", () => {
  expect(JSON.stringify(toStored(conversation))).not.toContain("blob");
});

test("a picture whose bytes are gone is left out", () => {
  const back = fromStored(toStored(conversation), new Map());
  expect(back.turns[0]).toMatchObject({ role: "user", pictures: [] });
});

test("an unknown version and anything malformed is not read", () => {
  expect(parseStored({ ...toStored(conversation), version: 2 })).toBeUndefined();
  expect(parseStored(undefined)).toBeUndefined();
  expect(parseStored({ version: 1, id: "c", turns: [{ role: "assistant", id: "a" }] })).toBeUndefined();
});
