import { expect, test } from "vitest";
import { readSample } from "#samples/read-sample.ts";
import type { Sample } from "#samples/sample.ts";
import { seeded } from "#testing/seeded.ts";
import { hash64 } from "#data/hash.node.ts";
import { HashTable } from "#data/hash-table.ts";
import { drawOf, partAt, PictureGroups } from "./split.ts";

function about(...pictures: string[]): Sample {
  const value = `${"<image>\n".repeat(pictures.length)}What? ${pictures.join()}`;
  const sample = readSample({
    image: pictures,
    conversations: [
      { from: "human", value },
      { from: "gpt", value: "It." },
    ],
  });
  if (typeof sample === "string") throw new Error(sample);
  return sample;
}
const parts = [
  { name: "train", share: 0.7 },
  { name: "val", share: 0.2 },
  { name: "test", share: 0.1 },
];

test("draws are even, stay the same, and differ with the seed", () => {
  const draws = Array.from({ length: 10_000 }, (_, i) => drawOf(hash64, 0, `conversation ${i}`));
  for (const { name, share } of parts) {
    const got = draws.filter((draw) => partAt(parts, draw)?.name === name).length / draws.length;
    expect(Math.abs(got - share), name).toBeLessThan(0.02);
  }
  expect(drawOf(hash64, 0, "conversation 0")).toBe(draws[0]);
  expect(drawOf(hash64, 1, "conversation 0")).not.toBe(draws[0]);
  // Python: int.from_bytes(sha256(b"0:conversation 0").digest()[:8]) >> 11, over 2 ** 53.
  expect(draws[0]).toBe(0.8716091072420924);
});

test("shares that add up to a little less than 1 leave nothing over, and smaller ones do", () => {
  expect(partAt(parts, 1 - 2 ** -53)?.name).toBe("test");
  expect(partAt([{ name: "some", share: 0.3 }], 0.31)).toBeUndefined();
  expect(partAt([{ name: "some", share: 0.3 }], 0.29)?.name).toBe("some");
});

test("whatever conversations share a picture, also over others, have one key, in any order", () => {
  const { seed, random } = seeded();
  const samples = Array.from({ length: 3000 }, () =>
    about(...Array.from({ length: 1 + Math.floor(random() ** 4 * 3) }, () => `${Math.floor(random() * 4000)}.jpg`)),
  );
  const keysIn = (order: readonly Sample[]): Map<Sample, string> => {
    const groups = new PictureGroups(hash64);
    for (const sample of order) groups.join(sample);
    return new Map(order.map((sample) => [sample, groups.keyOf(sample)]));
  };
  const keys = keysIn(samples);
  const byPicture = new Map<string, string>();
  for (const [{ turns }, key] of keys) {
    for (const turn of turns) {
      for (const ref of turn.role === "user" && turn.pictures.length > 0 ? turn.pictures : []) {
        const name = ref.kind === "name" ? ref.name : "";
        expect(byPicture.get(name) ?? key, `${name}, LLAVA_SEED=${seed}`).toBe(key);
        byPicture.set(name, key);
      }
    }
  }
  expect(new Set(keys.values()).size, `LLAVA_SEED=${seed}`).toBeGreaterThan(100);
  for (const [sample, key] of keysIn(samples.toReversed())) expect(key, `LLAVA_SEED=${seed}`).toBe(keys.get(sample));
});

test("a name is the same with ./ and double slashes", () => {
  const groups = new PictureGroups(hash64);
  expect(groups.keyOf(about("./a//b.jpg"))).toBe(groups.keyOf(about("a/b.jpg")));
  expect(groups.keyOf(about("/a/b.jpg"))).not.toBe(groups.keyOf(about("a/b.jpg")));
});

test("a table of hashes holds what a Map holds", () => {
  const { seed, random } = seeded();
  const table = new HashTable();
  const map = new Map<bigint, number>([[0n, 5]]);
  table.set(0n, 5);
  for (let i = 0; i < 20_000; i++) {
    const hash = (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 5000));
    map.set(hash, i);
    table.set(hash, i);
  }
  expect(table.size, `LLAVA_SEED=${seed}`).toBe(map.size);
  expect(
    [...map].every(([hash, value]) => table.get(hash) === value),
    `LLAVA_SEED=${seed}`,
  ).toBe(true);
  expect(table.get(1n << 63n)).toBeUndefined();
});
