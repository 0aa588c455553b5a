import { expect, test } from "vitest";
import type { Conversation } from "#chat/conversation/conversation.ts";
import {
  fromStored,
  parseStored,
  pictureKeys,
  summarize,
  toStored as toStoredForm,
  withKeysOf,
} from "./persistence.ts";
import { toNotes } from "./unfinished.web.ts";

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

test("a conversation is called by its name, else by its first question, and found by every word", () => {
  expect(summarize(conversation)).toMatchObject({ id: "c", title: "A name", updatedAt: 5 });
  const nameless = { ...conversation, title: undefined };
  expect(summarize(nameless).title).toBe("What?");
  expect(summarize(nameless).words).toContain("a cat.");
  expect(summarize({ ...nameless, turns: [] }).title).toBe("");
  const long = { role: "user", id: "q", text: "word ".repeat(50), pictures: [] } as const;
  expect(summarize({ ...nameless, turns: [long] }).title).toMatch(/^(word ?){10,}…$/);
  const wordless = { role: "user", id: "q", text: "", pictures: [{ id: "p", name: "cat.png", blob }] } as const;
  expect(summarize({ ...nameless, turns: [wordless] }).title).toBe("cat.png");
});

test("of a page's unfinished work every conversation's last save is noted, in its place, with the revisions of all", () => {
  const save = (id: string, revision: string) =>
    ({ op: "save", conversation: { ...conversation, id }, revision }) as const;
  const steps = [save("a", "1"), { op: "remove", id: "b" }, save("c", "2"), save("a", "3")] as const;
  const asNoted: Parameters<typeof toNotes>[1] = (step, own) => ({
    op: "save",
    id: step.conversation.id,
    own,
    value: step.revision,
  });
  expect(toNotes(steps, asNoted)).toEqual([
    { op: "remove", id: "b" },
    { op: "save", id: "c", own: ["2"], value: "2" },
    { op: "save", id: "a", own: ["1", "3"], value: "3" },
  ]);
});

test("a picture is found under the key it was kept under, wherever it stands", () => {
  const kept = toStored(conversation);
  const noted = toStoredForm(conversation, "r2", 8, (picture) => picture.id);
  expect(pictureKeys(noted)).not.toEqual(pictureKeys(kept));
  expect(withKeysOf(kept, noted)).toEqual({ ...kept, revision: "r2", updatedAt: noted.updatedAt });
});
