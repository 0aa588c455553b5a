import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import * as v from "valibot";
import { elementsOf } from "./checkpoint.ts";
import { memoryCheckpoint } from "#testing/fixtures.ts";
import { openCheckpoint } from "./open-checkpoint.ts";

const fixture = (name: string) => readFile(new URL(`../../../training/fixtures/torch/${name}`, import.meta.url));
const Expected = v.record(
  v.string(),
  v.object({ dtype: v.string(), shape: v.array(v.number()), values: v.array(v.number()) }),
);
const expected = v.parse(
  Expected,
  JSON.parse(await readFile(new URL("../../../training/fixtures/torch/expected.json", import.meta.url), "utf8")),
);
const dtypes: Readonly<Record<string, string>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int8: "I8",
  bool: "BOOL",
};

const open = (bytes: Uint8Array) => openCheckpoint(memoryCheckpoint("c", new Map([["pytorch_model.bin", bytes]])));

async function problemOf(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EngineError);
  expect(error).toHaveProperty("code", "bad-checkpoint");
  return error instanceof Error ? error.message : "";
}

test.each(["types.bin", "protocol4.bin"])(
  "every tensor of %s is what PyTorch wrote: all types, views, shared storages, whole and in part",
  async (file) => {
    const checkpoint = await open(await fixture(file));
    const names = Object.keys(expected).filter((name) => name !== "weight");
    expect([...checkpoint.tensors.keys()]).toEqual(names);
    for (const name of names) {
      const { dtype, shape, values } = expected[name] ?? { dtype: "", shape: [], values: [] };
      const tensor = checkpoint.tensors.get(name);
      expect(tensor).toMatchObject({ dtype: dtypes[dtype], shape });
      if (!tensor || !/float/.test(dtype)) continue;
      expect([...(await tensor.read(0, values.length))]).toEqual(values);
      const third = Math.floor(values.length / 3);
      expect([...(await tensor.read(third, third))]).toEqual(values.slice(third, 2 * third));
    }
    expect(() => checkpoint.tensor("i64", [2])).toThrow(/i64 is I64/);
  },
);

test("tensors inside a training framework's dict are found", async () => {
  const checkpoint = await open(await fixture("wrapped.bin"));
  const weight = expected["weight"];
  expect([...(await checkpoint.tensor("weight", [2, 3]).read(0, 6))]).toEqual(weight?.values);
});

/** The same archive as if all were too large for the directory's short fields, as in files of more than 4 GB. */
function withWideDirectory(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = bytes.length - 22;
  while (view.getUint32(end, true) !== 0x06054b50) end--;
  const [count, start] = [view.getUint16(end + 10, true), view.getUint32(end + 16, true)];
  const parts: Uint8Array[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const nameBytes = view.getUint16(at + 28, true);
    const entry = bytes.slice(at, at + 46 + nameBytes);
    const extra = new DataView(new ArrayBuffer(28));
    extra.setUint16(0, 1, true);
    extra.setUint16(2, 24, true);
    [24, 20, 42].forEach((field, k) => {
      extra.setBigUint64(4 + 8 * k, BigInt(view.getUint32(at + field, true)), true);
    });
    const header = new DataView(entry.buffer);
    for (const field of [20, 24, 42]) header.setUint32(field, 0xffffffff, true);
    header.setUint16(30, 28, true);
    header.setUint16(32, 0, true);
    parts.push(entry, new Uint8Array(extra.buffer));
    at += 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  const directory = Buffer.concat(parts);
  const wideEnd = new DataView(new ArrayBuffer(56 + 20 + 22));
  wideEnd.setUint32(0, 0x06064b50, true);
  wideEnd.setBigUint64(32, BigInt(count), true);
  wideEnd.setBigUint64(40, BigInt(directory.length), true);
  wideEnd.setBigUint64(48, BigInt(start), true);
  wideEnd.setUint32(56, 0x07064b50, true);
  wideEnd.setBigUint64(64, BigInt(start + directory.length), true);
  wideEnd.setUint32(76, 0x06054b50, true);
  for (let field = 80; field < 96; field += 2) wideEnd.setUint16(field, 0xffff, true);
  return Buffer.concat([bytes.subarray(0, start), directory, new Uint8Array(wideEnd.buffer)]);
}

test("archives of more than 4 GB are read by their wide directory, and refused when it is cut short", async () => {
  const wide = withWideDirectory(Uint8Array.from(await fixture("types.bin")));
  const checkpoint = await open(wide);
  const { values } = expected["second"] ?? { values: [] };
  expect([...(await checkpoint.tensor("second", [12]).read(0, 12))]).toEqual(values);
  const cut = Uint8Array.from(wide);
  new DataView(cut.buffer).setBigUint64(cut.length - 34, BigInt(cut.length), true);
  expect(await problemOf(open(cut))).toMatch(/directory is not where it should be/);
});

test("shards of PyTorch files are read through their index", async () => {
  const index = JSON.stringify({ weight_map: { f16: "a.bin", weight: "b.bin" } });
  const files = { "pytorch_model.bin.index.json": index, "a.bin": await fixture("types.bin") };
  const folder = (more: Record<string, Uint8Array>) =>
    memoryCheckpoint("c", new Map(Object.entries({ ...files, ...more })));
  const checkpoint = await openCheckpoint(folder({ "b.bin": await fixture("wrapped.bin") }));
  expect(checkpoint.tensor("weight", [2, 3]).origin).toBe("b.bin");
  expect(checkpoint.tensor("f16", [6, 8]).origin).toBe("a.bin");
  expect(await problemOf(openCheckpoint(folder({})))).toBe(
    "b.bin is missing; pytorch_model.bin.index.json needs it: the download was interrupted (1 of 2 files are here), so let it go on",
  );
  expect(await problemOf(openCheckpoint(folder({ "b.bin": await fixture("types.bin") })))).toMatch(
    /b\.bin lacks .* weight/,
  );
});

describe("what is no file of tensors is refused with a reason", () => {
  test.each([
    ["legacy.bin", /before PyTorch 1\.6; load it in PyTorch and save it again/],
    ["code.bin", /asks for (posix|nt)\.system, which is code and not a tensor; it was not run/],
    ["list.bin", /holds no dict of named tensors/],
  ])("%s", async (file, message) => {
    expect(await problemOf(open(await fixture(file)))).toMatch(message);
  });

  test("a clone without Git LFS", async () => {
    const pointer = new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
    expect(await problemOf(open(pointer))).toMatch(/Git LFS pointer.*git lfs pull/);
  });
});

test("a file cut off anywhere is refused with a sentence", async () => {
  const whole = await fixture("types.bin");
  for (let length = 0; length < whole.length; length += 7) {
    expect(await problemOf(open(whole.subarray(0, length)))).toMatch(/truncated|damaged/);
  }
});

test("a file with bytes changed is refused as a bad checkpoint or still reads", async () => {
  const whole = await fixture("types.bin");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      async (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          const checkpoint = await open(bytes);
          for (const [name, { shape, dtype }] of checkpoint.tensors) {
            if (/F/.test(dtype)) await checkpoint.tensor(name, shape).read(0, elementsOf(shape));
          }
        } catch (error) {
          if (!(error instanceof EngineError) || error.code !== "bad-checkpoint") throw error;
        }
      },
    ),
    { numRuns: 400 },
  );
});
