import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import { encodeSafetensors, memoryCheckpoint, type TensorData } from "#testing/fixtures.ts";
import { openCheckpoint } from "./open-checkpoint.ts";

const open = (bytes: Uint8Array) => openCheckpoint(memoryCheckpoint("c", new Map([["model.safetensors", bytes]])));

const tensor: fc.Arbitrary<TensorData> = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }).chain((shape) => {
  const length = shape.reduce((product, n) => product * n, 1);
  // Halves up to 512 are exact in all three formats.
  const values = fc.array(fc.integer({ min: -64, max: 64 }), { minLength: length, maxLength: length });
  return values.map((list) => ({ shape, values: Float32Array.from(list, (n) => n / 2) }));
});
const tensors = fc.dictionary(fc.stringMatching(/^[a-z.]{1,8}$/), tensor, { minKeys: 1, noNullPrototype: true });

/** Bytes of a file whose header is this text. */
function withHeader(text: string, data = 0): Uint8Array {
  const header = new TextEncoder().encode(text);
  const out = new Uint8Array(8 + header.length + data);
  new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
  out.set(header, 8);
  return out;
}

async function problemOf(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EngineError);
  expect(error).toHaveProperty("code", "bad-checkpoint");
  return error instanceof Error ? error.message : "";
}

test.each(["F32", "F16", "BF16"] as const)("tensors stored as %s are read back, whole and in part", async (dtype) => {
  await fc.assert(
    fc.asyncProperty(tensors, async (given) => {
      const checkpoint = await open(encodeSafetensors(new Map(Object.entries(given)), dtype));
      for (const [name, { shape, values }] of Object.entries(given)) {
        const read = checkpoint.tensor(name, shape);
        expect([...(await read.read(0, values.length))]).toEqual([...values]);
        const half = values.length >> 1;
        expect([...(await read.read(half, values.length - half))]).toEqual([...values.subarray(half)]);
      }
    }),
    { numRuns: 40 },
  );
});

test("a file with bytes changed or cut off is refused as a bad checkpoint or still reads", async () => {
  const good = encodeSafetensors(new Map([["a", { shape: [2, 3], values: new Float32Array(6).fill(1) }]]));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(good.length),
      async (changes, length) => {
        const bytes = good.slice(0, length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          const checkpoint = await open(bytes);
          for (const [name, { shape }] of checkpoint.tensors) {
            await checkpoint.tensor(name, shape).read(
              0,
              shape.reduce((product, n) => product * n, 1),
            );
          }
        } catch (error) {
          if (!(error instanceof EngineError) || error.code !== "bad-checkpoint") throw error;
        }
      },
    ),
    { numRuns: 500 },
  );
});

describe("a damaged file is named with what is wrong", () => {
  const entry = (value: unknown) => JSON.stringify({ w: value });
  test.each([
    ["an empty file", new Uint8Array(3), /truncated: 3 bytes/],
    ["a huge header length", new Uint8Array(16).fill(255), /no safetensors file/],
    ["a header past the end", withHeader("{}").subarray(0, 9), /truncated/],
    ["a header that is no JSON", withHeader("{nope"), /is not JSON/],
    ["a header that is a list", withHeader("[]"), /not a JSON object/],
    ["a file of no bytes", new Uint8Array(0), /is empty.*interrupted/],
    [
      "tensors over one another",
      withHeader(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}',
        12,
      ),
      /tensors a and b lie over one another/,
    ],
    [
      "a tensor within another",
      withHeader(
        '{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}',
        12,
      ),
      /tensors a and b lie over one another/,
    ],
    [
      "a name twice",
      withHeader(
        '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0077":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        8,
      ),
      /names the tensor w twice/,
    ],
    [
      "offsets beyond every file",
      withHeader(entry({ dtype: "F32", shape: [1], data_offsets: [1e300, 1e300] }), 4),
      /truncated: tensor w/,
    ],
    ["a header nested without end", withHeader("[".repeat(10_000)), /nested more than 100 deep/],
    [
      "a web page",
      new TextEncoder().encode("<!DOCTYPE html><html>Sign in</html>"),
      /is a web page and not the file itself/,
    ],
    ["a compressed file", new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]), /is compressed \(gzip\).*unpack/],
    ["a zip", new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0]), /is a zip and no safetensors file/],
    ["a GGUF file under another name", new TextEncoder().encode("GGUF\u0003000000000"), /is a GGUF file/],
    ["an entry without shape", withHeader(entry({ dtype: "F32", data_offsets: [0, 4] }), 4), /tensor w .*malformed/],
    ["a negative shape", withHeader(entry({ dtype: "F32", shape: [-1], data_offsets: [0, 4] }), 4), /malformed/],
    [
      "data past the end",
      withHeader(entry({ dtype: "F32", shape: [2], data_offsets: [0, 8] }), 4),
      /truncated: tensor w/,
    ],
    ["data before its start", withHeader(entry({ dtype: "F32", shape: [0], data_offsets: [4, 0] }), 4), /ends before/],
    ["a shape that does not fit", withHeader(entry({ dtype: "F32", shape: [3], data_offsets: [0, 8] }), 8), /needs 12/],
  ])("%s", async (_what, bytes, message) => {
    expect(await problemOf(open(bytes))).toMatch(message);
  });
});

test("a tensor that is missing, mis-shaped, of another type or not finite is named", async () => {
  const values = Float32Array.of(1, 2, NaN, 4);
  const checkpoint = await open(encodeSafetensors(new Map([["w", { shape: [2, 2], values }]])));
  expect(() => checkpoint.tensor("v", [2])).toThrow(/no tensor v/);
  expect(() => checkpoint.tensor("w", [4, 1])).toThrow(/w has shape \[2, 2\].*\[4, 1\]/);
  expect(await problemOf(checkpoint.tensor("w", [2, 2]).read(0, 4))).toMatch(/w holds NaN/);
  const ints = await open(withHeader(JSON.stringify({ i: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }), 8));
  expect(() => ints.tensor("i", [1])).toThrow(/i is I64/);
});

describe("sharded checkpoints", () => {
  const shard = (name: string) => encodeSafetensors(new Map([[name, { shape: [1], values: Float32Array.of(5) }]]));
  const index = (map: Record<string, string>) => JSON.stringify({ weight_map: map });
  const openFiles = (files: Record<string, Uint8Array | string>) =>
    openCheckpoint(memoryCheckpoint("c", new Map(Object.entries(files))));

  test("are read through their index", async () => {
    const checkpoint = await openFiles({
      "model.safetensors.index.json": index({ a: "1.safetensors", b: "2.safetensors" }),
      "1.safetensors": shard("a"),
      "2.safetensors": shard("b"),
    });
    expect([...(await checkpoint.tensor("b", [1]).read(0, 1))]).toEqual([5]);
  });

  test("name the shard or the tensor that is missing", async () => {
    const indexed = { "model.safetensors.index.json": index({ a: "1.safetensors" }) };
    expect(await problemOf(openFiles(indexed))).toMatch(/1\.safetensors is missing/);
    expect(await problemOf(openFiles({ ...indexed, "1.safetensors": shard("b") }))).toMatch(/lacks the tensor a/);
    expect(await problemOf(openFiles({}))).toMatch(/holds no weights: none of model\.safetensors,/);
    expect(await problemOf(openFiles({ "model.safetensors.index.json": "{}" }))).toMatch(/no usable weight_map/);
    const outside = { "model.safetensors.index.json": index({ a: "../secret" }) };
    expect(await problemOf(openFiles(outside))).toMatch(/outside the folder/);
  });
});
