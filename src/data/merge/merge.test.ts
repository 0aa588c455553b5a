import { expect, test } from "vitest";
import { readSample } from "#samples/read-sample.ts";
import type { DataFile } from "#data/data-file.ts";
import { hash64 } from "#data/hash.node.ts";
import type { UsableEntry } from "#data/left-out.ts";
import { Merger, type MergeOptions, type MergeSource } from "./merge.ts";

const file: DataFile = {
  name: "x.json",
  bytes: 0,
  path: "/x.json",
  folder: "/",
  async *chunks() {},
  findPicture: () => Promise.resolve(undefined),
};

function entry(question: string, more: object = {}): UsableEntry {
  const json = { ...more, conversations: [{ from: "human", value: question }, { from: "gpt", value: "That." }] }; // prettier-ignore
  const sample = readSample(json);
  if (typeof sample === "string") throw new Error(sample);
  return { file, item: 1, line: 1, inList: true, json, sample };
}
const merger = (more: Partial<MergeOptions> = {}): Merger =>
  new Merger({ hash: hash64, seed: 0, keepDuplicates: false, ...more });
const from = (prefix: string, more: Partial<MergeSource> = {}): MergeSource => ({
  prefix,
  weight: 1,
  rename: (name) => name,
  ...more,
});
const idsOf = (values: readonly unknown[]): unknown[] => values.map((value) => (value as { id?: unknown }).id);

test("ids stay where they can, and are unique in the end", () => {
  const all = merger();
  const added = [
    ["a", "1"],
    ["a", 2],
    ["b", "1"],
    ["b", "2"],
    ["b", "2"],
    ["c", "b-1"],
    ["c", "b-2-2"],
    ["b", "2"],
    ["b", undefined],
  ].flatMap(([prefix = "", id], i) =>
    all.add(entry(`Question ${i}`, id === undefined ? {} : { id }), from(String(prefix))),
  );
  expect(idsOf(added)).toEqual(["1", 2, "b-1", "b-2", "b-2-2", "c-b-1", "c-b-2-2", "b-2-3", undefined]);
  expect(all.newIds).toBe(6);
});

test("one id in thousands of conversations takes no longer for each", () => {
  const all = merger();
  const ids = Array.from({ length: 5000 }, (_, i) => all.add(entry(`Question ${i}`, { id: "same" }), from("a"))).flatMap(idsOf); // prettier-ignore
  expect(new Set(ids).size).toBe(5000);
  expect(ids.at(-1)).toBe("a-same-4999");
});

test("duplicates go by words and place of the pictures, and are counted", () => {
  const all = merger();
  const about = (image: string): UsableEntry => entry("<image>\nWhat?", { image });
  const moved = from("b", { rename: (name) => `../b/${name}` });
  expect(all.add(about("k.png"), from("a"))).toHaveLength(1);
  expect(all.add(about("./k.png"), from("a", { rename: () => "k.png" }))).toHaveLength(0);
  expect(all.add(about("k.png"), moved)).toEqual([{ ...(about("../b/k.png").json as object) }]);
  expect(all.add(about("k.png"), moved)).toHaveLength(0);
  expect(all.duplicates).toBe(2);
  const keeping = merger({ keepDuplicates: true });
  expect([1, 2].flatMap(() => keeping.add(about("k.png"), from("a")))).toHaveLength(2);
});

test("weights draw the same share whenever they draw, and whole numbers are copies", () => {
  const questions = Array.from({ length: 4000 }, (_, i) => entry(`Question ${i}`, { id: `${i}` }));
  const drawn = (weight: number, seed = 0): unknown[] => {
    const all = merger({ seed });
    return questions.flatMap((one) => all.add(one, from("a", { weight })));
  };
  const half = drawn(0.5);
  expect(Math.abs(half.length / 4000 - 0.5)).toBeLessThan(0.03);
  expect(drawn(0.5)).toEqual(half);
  expect(drawn(0.5, 1)).not.toEqual(half);
  // A larger share holds the smaller one.
  const larger = new Set(idsOf(drawn(0.7)));
  expect(idsOf(half).every((id) => larger.has(id))).toBe(true);
  expect(drawn(0)).toEqual([]);
  const more = drawn(2.5);
  expect(Math.abs(more.length / 4000 - 2.5)).toBeLessThan(0.03);
  expect(new Set(idsOf(more)).size).toBe(more.length);
});
