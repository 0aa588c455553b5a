import { expect, test } from "vitest";
import { readSamples } from "#samples/read-samples.ts";
import type { DataFile } from "#data/data-file.ts";
import { readEntries } from "#data/data-file.ts";
import { hash64 } from "#data/hash.node.ts";
import { LeftOut, usableEntries } from "#data/left-out.ts";
import { countWords } from "#data/words.ts";
import { statsHtml } from "./stats-html.ts";
import { statsText } from "./stats-text.ts";
import { Stats, type StatsReport } from "./stats.ts";
import { Tally, TextTally } from "./tally.ts";

function fileOf(value: unknown): DataFile {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return {
    name: "x.json",
    bytes: bytes.length,
    path: "/x.json",
    folder: "/",
    async *chunks() {
      yield await Promise.resolve(bytes);
    },
    findPicture: () => Promise.resolve(undefined),
  };
}

async function statsOf(value: unknown): Promise<StatsReport> {
  const stats = new Stats({ hash: hash64, countTokens: countWords, tokensOfPicture: 576, top: 3, pictureState: (_, ref) => Promise.resolve({ fault: ref.kind === "name" && ref.name === "gone.png" ? "missing" : undefined, kind: "png", width: 30, height: 40 }) }); // prettier-ignore
  const leftOut = new LeftOut();
  for await (const entry of usableEntries(fileOf(value), leftOut)) await stats.add(entry);
  return stats.report(leftOut.notes("left out"));
}

const data = [
  {
    image: "a.png",
    conversations: [
      { from: "system", value: "Be kind." },
      { from: "human", value: "<image>\nWhat is <this>?" },
      { from: "gpt", value: "A red kite." },
      { from: "human", value: "What is that?" },
      { from: "gpt", value: "A red & blue one." },
    ],
  },
  {
    image: "a.png",
    conversations: [
      { from: "human", value: "<image>\n什么？" },
      { from: "gpt", value: "风筝" },
    ],
  },
  {
    image: "gone.png",
    conversations: [
      { from: "human", value: "<image>" },
      { from: "gpt", value: "Gone." },
    ],
  },
  { conversations: [{ from: "nobody", value: "x" }] },
];

test("counts what is there, and says what it left out", async () => {
  expect(await statsOf(data)).toMatchObject({
    conversations: 3,
    questions: 4,
    answers: 4,
    withSystem: 1,
    withoutPicture: 0,
    differentPictures: 2,
    turns: { mean: 4 / 3, most: 2 },
    questionWords: { total: 4, least: 0, most: 3, median: 3 },
    pictures: { mean: 1 },
    tokens: { least: 577, most: 576 + 2 + 3 + 3 + 3 + 5 },
    languages: [
      { text: "Latin", count: 2 },
      { text: "Han", count: 1 },
    ],
    questionBeginnings: [
      { text: "what is", count: 2 },
      { text: "什么", count: 1 },
    ],
    answerBeginnings: [{ text: "a red", count: 2 }, { text: "gone", count: 1 }, { text: "风筝" }],
    pictureKinds: [{ text: "PNG" }, { text: "missing" }],
    pictureSizes: [{ text: "30 × 40", count: 2 }],
    notes: ["left out: 1 × a speaker who is neither user, assistant nor system (first: x.json, item 4, line 1)"],
  });
});

test("the page is whole in itself and shows texts as texts", async () => {
  const page = statsHtml("Statistics of <x>.json", await statsOf([...data, { conversations: [{ from: "human", value: "<b>bold</b> & “x”" }, { from: "gpt", value: '<script>alert("x")</script>' }] }])); // prettier-ignore
  expect(page).not.toMatch(/<script|<b>|https?:|src=|url\(/);
  expect(page).toContain("<title>Statistics of &lt;x&gt;.json</title>");
  expect(page).toContain("default-src 'none'");
  expect(page.match(/<svg/g)?.length).toBe(page.match(/<\/svg>/g)?.length);
  expect(page).toContain("left out: 1 ×");
});

test("the text has a bar for each figure", async () => {
  const text = statsText(await statsOf(data));
  expect(text).toContain("           3  conversations\n");
  expect(text).toMatch(/\nHow questions begin\n {2}what is\s+2 {2}█{40}\n {2}什么\s+1 {2}█{20}\n/);
});

test("quantiles and bins", () => {
  const tally = new Tally();
  for (let i = 1; i <= 100; i++) tally.add(i);
  expect(tally.summary([0, 1, 51, 201])).toEqual({
    total: 100,
    mean: 50.5,
    median: 50,
    p90: 90,
    p99: 99,
    least: 1,
    most: 100,
    bins: [
      { from: 1, to: 50, count: 50 },
      { from: 51, to: 200, count: 50 },
    ],
  });
  expect(new Tally().summary([0])).toBeUndefined();
});

test("frequent texts are found among more different ones than are kept", () => {
  const tally = new TextTally();
  for (let i = 0; i < 200_000; i++) tally.add(i % 4 === 0 ? "often" : `once ${i}`);
  expect(tally.total).toBe(200_000);
  expect(tally.top(1)).toEqual([{ text: "often", count: 50_000 }]);
});

test("entries number a file's items from 1 and report the bytes read", async () => {
  const read: number[] = [];
  const file = fileOf(data);
  const items: number[] = [];
  for await (const { item } of readEntries(file, { onBytes: (_, bytes) => read.push(bytes) })) items.push(item);
  expect(items).toEqual([1, 2, 3, 4]);
  expect(read.at(-1)).toBe(file.bytes);
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  await expect(readEntries(file, { signal: stop.signal }).next()).rejects.toThrow("stopped");
  // The reader itself counts the same items.
  let count = 0;
  for await (const one of readSamples(file.chunks())) count = one.item;
  expect(count).toBe(4);
});
