// Not the app: the persistence of conversations as two tabs use it, on this browser's real storage. The test calls `run`.
import { createStore, set } from "idb-keyval";
import { allTurns } from "#chat/conversation/branches.ts";
import type { Conversation, Turn } from "#chat/conversation/conversation.ts";
import { isFull } from "#chat/persistence/persistence.ts";
import { createWebPersistence } from "#chat/persistence/persistence.web.ts";
import { persistenceContract } from "#testing/chat/persistence-contract.ts";

let clock = 0;
const pair = (name: string, ...pictures: Blob[]): Turn[] => [
  {
    role: "user",
    id: `q-${name}`,
    text: `ask ${name}`,
    pictures: pictures.map((blob, i) => ({ id: `${name}-${i}`, name: `${i}.png`, blob })),
    at: ++clock,
  },
  { role: "assistant", id: `a-${name}`, text: `answer ${name}`, status: "done", at: ++clock },
];
const words = (conversation: Conversation | undefined): string[] =>
  conversation === undefined ? [] : allTurns(conversation).map(({ text }) => text);
/** Bytes that nothing can compress. */
function noise(bytes: number): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes; at += 65_536) parts.push(crypto.getRandomValues(new Uint8Array(65_536)));
  return new Blob(parts, { type: "image/png" });
}

/** Two tabs and one conversation: deleted in one, asked in the other, brought back. */
async function tabs(): Promise<unknown> {
  const one = createWebPersistence("tabs");
  const two = createWebPersistence("tabs");
  const start: Conversation = { id: "c", turns: pair("start") };
  await one.save(start);
  await two.open("c");
  await two.remove("c");
  const asked = { ...start, turns: [...start.turns, ...pair("since")] };
  const saved = await one.save(asked);
  const after = (await one.list()).length;
  await one.merge(asked);
  const merged = words(await two.open("c"));
  await two.restore("c");
  const restored = words(await two.open("c"));
  const backup = {
    ...start,
    turns: start.turns.map((turn) => ({ ...turn, text: turn.text.replace("answer", "another") })),
  };
  await two.merge(backup);
  await two.merge(backup);
  return { saved, after, merged, restored, joined: words(await one.open("c")) };
}

/** Records that are broken in every way that came to mind, beside a good one. */
async function broken(): Promise<unknown> {
  const place = createWebPersistence("broken");
  await place.save({ id: "good", turns: pair("good", noise(10)) });
  const values: unknown[] = [
    null,
    7,
    "text",
    [],
    {},
    { version: 2 },
    { version: 2, id: "x", turns: [null] },
    { version: 99 },
    new Blob(["x"]),
    { version: 1, id: "x", turns: 3 },
  ];
  const store = createStore("broken", "kv");
  for (const [i, value] of values.entries()) {
    await set(`conversation:${i}`, value, store);
    await set(`removed:${i}`, value, store);
    await set(`picture:${i}`, value, store);
  }
  await set(7, "a key that is a number", store);
  await set("current", { version: 1, turns: "none" }, store);
  await set("last", "3", store);
  const later = createWebPersistence("broken");
  const list = (await later.list()).map(({ id }) => id);
  const last = (await later.load()) === undefined;
  await later.purge();
  return { list, last, good: words(await later.open("good")) };
}

/** A disk that fills up: with a picture that finds no room, and with none left at all. */
async function full(): Promise<unknown> {
  const place = createWebPersistence("full");
  const small = noise(100_000);
  const first: Conversation = { id: "f", turns: pair("small", small) };
  await place.save(first);
  const second = { ...first, turns: [...first.turns, ...pair("large", noise(6 * 2 ** 20))] };
  const large = await place.save(second);
  const third = { ...second, turns: [...second.turns, ...pair("words")] };
  const later = await place.save(third);
  const back = await createWebPersistence("full").open("f");
  const pictures = back?.turns.map((turn) => (turn.role === "user" ? turn.pictures.length : undefined));
  const tooLong = {
    ...third,
    turns: [
      ...third.turns,
      {
        ...pair("long")[0],
        text: Array.from({ length: 2e6 }, (_, i) => ((i * 2654435761) >>> 0).toString(36).repeat(2)).join(""),
      } as Turn,
    ],
  };
  const text = await place.save(tooLong).then(
    () => "saved",
    (error: unknown) => (isFull(error) ? "full" : String(error)),
  );
  return {
    unsaved: [large, later].map((kept) => (kept === "deleted" ? kept : kept.unsavedPictures)),
    words: words(back),
    pictures: pictures?.filter((count) => count !== undefined),
    text,
    after: words(await createWebPersistence("full").open("f")).length,
  };
}

/** Every check of the contract, with what was wrong; null for nothing. */
async function contract(): Promise<unknown> {
  const { now } = Date;
  const outcomes: Record<string, string | null> = {};
  for (const [index, { name, run }] of persistenceContract.entries()) {
    const place = {
      openTab: () => createWebPersistence(`contract-${index}`),
      setClock: (time: number) => {
        Date.now = () => time;
      },
    };
    outcomes[name] = await run(place).then(
      () => null,
      (error: unknown) => String(error),
    );
    Date.now = now;
  }
  return outcomes;
}

Object.assign(globalThis, { run: { tabs, broken, full, contract } });
