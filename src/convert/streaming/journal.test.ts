// The record of a conversion that is not finished: what is read back, and what is no journal.
import { expect, test } from "vitest";
import { seeded } from "#testing/seeded.ts";
import { fromBase64, parseJournal, toBase64, type Journal } from "./journal.ts";

const journal: Journal = {
  version: 1,
  fingerprint: "0123456789abcdef".repeat(4),
  units: 2,
  hash: toBase64(Uint8Array.from([1, 2, 255])),
  carried: [{ file: 0, offset: 70, base64: "AAEC" }],
  shards: [{ path: "onnx/decoder.onnx_data", index: 0, offset: 0, bytes: 12, sha256: "f".repeat(64) }],
  about: {
    place: { kind: "hub", hub: "https://hub.example/", repository: "someone/tiny" },
    name: "Tiny",
    license: "mit",
    fetchedBytes: 100,
    fetchBytes: 300,
    keepBytes: 90,
  },
};

test("a journal is read back as it was written, with and without a hash and a place", () => {
  expect(parseJournal(JSON.parse(JSON.stringify(journal)))).toEqual(journal);
  const { hash, ...withoutHash } = journal;
  expect(hash).toBeDefined();
  expect(parseJournal(withoutHash)).toEqual(withoutHash);
  const dropped = { ...journal, about: { ...journal.about, place: undefined } };
  expect(parseJournal(JSON.parse(JSON.stringify(dropped)))?.about).not.toHaveProperty("place");
});

test("what is damaged, of another version or of another kind is no journal, so that nothing goes on with it", () => {
  const [shard] = journal.shards;
  const damaged: unknown[] = [
    undefined,
    null,
    [],
    "journal",
    {},
    { ...journal, version: 2 },
    { ...journal, fingerprint: "short" },
    { ...journal, fingerprint: journal.fingerprint.toUpperCase() },
    { ...journal, units: -1 },
    { ...journal, units: 1.5 },
    { ...journal, units: "2" },
    { ...journal, hash: 7 },
    { ...journal, carried: undefined },
    { ...journal, carried: [{ file: 0, offset: -1, base64: "" }] },
    { ...journal, shards: [{ ...shard, bytes: 1e300 }] },
    { ...journal, shards: [{ ...shard, sha256: "0" }] },
    { ...journal, about: { ...journal.about, keepBytes: undefined } },
  ];
  for (const json of damaged) expect([json, parseJournal(json)]).toEqual([json, undefined]);
  // Cut off anywhere it is no JSON, or none of a journal.
  const text = JSON.stringify(journal);
  expect(() => parseJournal(JSON.parse(text.slice(0, -1)))).toThrow(SyntaxError);
});

const { seed, random } = seeded();

test(`bytes of any length and value come back from text (seed ${seed})`, () => {
  for (const length of [0, 1, 2, 3, 4, 111, 70_000]) {
    const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
    const text = toBase64(bytes);
    expect(text).toMatch(/^[A-Za-z0-9+/]*={0,2}$/);
    expect(text).toBe(Buffer.from(bytes).toString("base64"));
    expect(fromBase64(text)).toEqual(bytes);
  }
});
