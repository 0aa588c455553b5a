import { expect, test } from "vitest";
import { addEntry, featureScope, removeOwner, type FeatureIndex } from "./features.ts";

const entry = (bytes: number, usedAt: number, owner = "a") => ({ owner, bytes, usedAt });
const index: FeatureIndex = { old: entry(40, 1), newer: entry(30, 3, "b"), newest: entry(30, 5) };

test("what was used longest ago goes first, and as much as is needed", () => {
  expect(addEntry(index, "x", entry(10, 9), 110)).toEqual({ index: { ...index, x: entry(10, 9) }, evicted: [] });
  expect(addEntry(index, "x", entry(20, 9), 100)?.evicted).toEqual(["old"]);
  expect(addEntry(index, "x", entry(60, 9), 100)?.evicted).toEqual(["newer", "old"]);
});

test("what is there already is replaced and not counted twice, and what is too large is not kept", () => {
  expect(addEntry(index, "old", entry(41, 9), 101)).toEqual({ index: { ...index, old: entry(41, 9) }, evicted: [] });
  expect(addEntry(index, "x", entry(101, 9), 100)).toBeUndefined();
});

test("a package's features go with it", () => {
  const left = removeOwner(index, "a");
  expect(Object.keys(left.index)).toEqual(["newer"]);
  expect(left.evicted).toEqual(["old", "newest"]);
});

test("another vision graph or another device is another scope, another decoder is not", async () => {
  const file = (path: string, digit: string) => ({ path, bytes: 1, shards: [{ offset: 0, bytes: 1, sha256: digit }] });
  const scope = (vision: string, decoder: string, device = "wasm"): Promise<string> =>
    featureScope([file("vision", vision), file("decoder", decoder)], ["vision"], device);
  const one = await scope("1", "1");
  expect(await scope("1", "2")).toBe(one);
  expect(await scope("2", "1")).not.toBe(one);
  expect(await scope("1", "1", "webgpu")).not.toBe(one);
});
