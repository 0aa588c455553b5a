import { expect, test } from "vitest";
import type { Conversation } from "#chat/conversation/conversation.ts";
import { fromStored, parseStored, pictureKeys, toStored as toStoredForm, withKeysOf } from "./stored-conversation.ts";

const blob = new Blob(["bytes"]);
const toStored = (kept: Conversation) => toStoredForm(kept, "r1", 7, (picture) => `key-${picture.name}`);
const conversation: Conversation = {
  id: "c",
  updatedAt: 5,
  title: "A name",
  memoryStart: "q2",
  branches: [
    {
      after: "",
      turns: [
        { role: "user", id: "q0", text: "Who?", at: 3, pictures: [{ id: "p0", name: "cat.png", blob }] },
        { role: "assistant", id: "a0", text: "Me.", status: "done", at: 4 },
      ],
    },
  ],
  turns: [
    { role: "user", id: "q", text: "What?", pictures: [{ id: "p", name: "cat.png", blob }] },
    {
      role: "assistant",
      id: "a",
      text: "A cat.",
      status: "done",
      stage: { stage: "decode", done: 1, total: 1 },
      device: "wasm",
      reason: "stop",
      ending: "tired",
      usage: { promptTokens: 1, cachedTokens: 0, imageTokens: 4, newTokens: 3 },
      timings: { imageMs: 1, visionMs: 1, prefillMs: 1, decodeMs: 1, firstTokenMs: 3, totalMs: 4 },
      sawPhotograph: true,
    },
    { role: "user", id: "q2", text: "Again?", pictures: [] },
    {
      role: "assistant",
      id: "a2",
      text: "",
      status: "failed",
      silentMs: 9,
      failure: { code: "server-rejected", detail: "gone", said: "no" },
    },
  ],
};

test("a conversation survives being kept, but for what is of the moment", () => {
  const stored = parseStored(structuredClone(toStored(conversation)));
  expect(stored).toBeDefined();
  if (stored === undefined) return;
  // Both turns show the same content, which is kept once.
  expect(pictureKeys(stored)).toEqual(["key-cat.png"]);
  const back = fromStored(stored, new Map([["key-cat.png", blob]]));
  const turns = conversation.turns.map((turn) => {
    if (turn.role === "user") return turn;
    const kept = { ...turn };
    delete kept.stage;
    delete kept.silentMs;
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
  expect(parseStored({ ...toStored(conversation), version: 3 })).toBeUndefined();
  expect(parseStored({ ...toStored(conversation), version: 0 })).toBeUndefined();
  expect(parseStored(undefined)).toBeUndefined();
  expect(parseStored({ version: 1, id: "c", turns: [{ role: "assistant", id: "a" }] })).toBeUndefined();
  expect(parseStored({ version: 1, turns: 7 })).toBeUndefined();
});

test("a flag that stood in the place of a thumb is a flag", () => {
  const flagged = { role: "assistant", id: "a", text: "Hm.", status: "done", opinion: "flag" };
  const question = { role: "user", id: "q", text: "?", pictures: [] };
  const stored = parseStored({ ...toStored(conversation), turns: [question, flagged] });
  expect(stored && fromStored(stored, new Map()).turns[1]).toEqual({
    role: "assistant",
    id: "a",
    text: "Hm.",
    status: "done",
    flagged: true,
  });
});

test("what version 1 kept is read: its pictures lie under their ids", () => {
  const turns = [
    { role: "user", id: "q", text: "What?", pictures: [{ id: "p", name: "cat.png" }] },
    { role: "assistant", id: "a", text: "A cat.", status: "done" },
  ];
  const stored = parseStored({ version: 1, id: "c", turns });
  expect(stored).toMatchObject({ version: 2, id: "c", branches: [] });
  if (stored === undefined) return;
  expect(fromStored(stored, new Map([["p", blob]]))).toEqual({
    id: "c",
    updatedAt: 0,
    turns: [{ ...turns[0], pictures: [{ id: "p", name: "cat.png", blob }] }, turns[1]],
  });
});

test("a picture is found under the key it was kept under, wherever it stands", () => {
  const kept = toStored(conversation);
  const noted = toStoredForm(conversation, "r2", 8, (picture) => picture.id);
  expect(pictureKeys(noted)).not.toEqual(pictureKeys(kept));
  expect(withKeysOf(kept, noted)).toEqual({ ...kept, revision: "r2", updatedAt: noted.updatedAt });
});
