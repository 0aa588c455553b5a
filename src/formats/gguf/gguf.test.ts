// The reader of GGUF files against what llama.cpp's own Python package wrote and dequantized, and against files that lie.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { seeded } from "#testing/seeded.ts";
import { blobSource, type ByteSource } from "#formats/byte-source.ts";
import { dequantizeGguf, isReadable } from "./dequantize.ts";
import { GgufError } from "./gguf-error.ts";
import { isGguf, readGgufHeader, type GgufTensor } from "./header.ts";

const fixture = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../../../training/fixtures/gguf/${name}`, import.meta.url)));
const sourceOf = (bytes: Uint8Array<ArrayBuffer>): ByteSource => blobSource(new Blob([bytes]));
const types = fixture("types.gguf");
const model = fixture("llava-1.5.gguf");

test("every type's elements are those of llama.cpp's own dequantizer, but for the last bit", async () => {
  const source = sourceOf(types);
  const { tensors } = await readGgufHeader(source);
  const read = async ({ type, offset, bytes }: GgufTensor): Promise<Float32Array> =>
    dequantizeGguf(type, await source.read(offset, bytes));
  const names = tensors.map(({ name }) => name).filter((name) => !name.endsWith(".expected"));
  expect(names).toHaveLength(14);
  for (const name of names) {
    const [tensor, expected] = [name, `${name}.expected`].map((wanted) =>
      tensors.find((found) => found.name === wanted),
    );
    if (!tensor || !expected) throw new Error(name);
    expect(isReadable(tensor.type)).toBe(true);
    const [actual, wanted] = [await read(tensor), await read(expected)];
    expect(actual).toHaveLength(3 * 512);
    const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - (actual[i] ?? NaN))), 0);
    // An offset is added in another order.
    expect(worst, name).toBeLessThan(1.2e-7);
  }
});

test("metadata and places are those that were written", async () => {
  const { metadata, tensors } = await readGgufHeader(sourceOf(model));
  expect(metadata.get("general.architecture")).toBe("llama");
  expect(metadata.get("llama.rope.freq_base")).toBe(10000);
  expect(metadata.get("tokenizer.ggml.add_bos_token")).toBe(true);
  expect(metadata.get("tokenizer.ggml.tokens")).toHaveLength(280);
  expect(metadata.get("tokenizer.ggml.token_type")).toContain(3);
  const table = tensors.find(({ name }) => name === "token_embd.weight");
  expect(table).toMatchObject({ shape: [280, 32], type: { name: "F16" }, bytes: 280 * 32 * 2 });
  expect(await isGguf(sourceOf(model))).toBe(true);
  expect(await isGguf(sourceOf(Uint8Array.of(80, 75, 3, 4)))).toBe(false);
});

test("a header longer than the first read is read in rounds, and no byte twice", async () => {
  const tokens = Array.from({ length: 60_000 }, (_, i) => `token number ${i}`);
  const bytes = headerOf([["tokenizer.ggml.tokens", 9, strings(tokens)]]);
  let read = 0;
  const inner = sourceOf(bytes);
  const { metadata } = await readGgufHeader({
    bytes: inner.bytes,
    read(offset, length) {
      read += length;
      return inner.read(offset, length);
    },
  });
  expect(metadata.get("tokenizer.ggml.tokens")).toEqual(tokens);
  expect(read).toBe(bytes.length);
});

const hostile: readonly (readonly [string, Uint8Array<ArrayBuffer>, RegExp])[] = [
  ["an empty file", new Uint8Array(0), /is empty/],
  ["another kind of file", new TextEncoder().encode("PK\u0003\u0004 and more of a zip file"), /no GGUF file/],
  ["version 1", headerOf([], { version: 1 }), /version 1/],
  ["big-endian", headerOf([], { version: 3 << 24 }), /big-endian/],
  ["2^60 tensors", headerOf([], { tensors: 2n ** 60n }), /promises 1152921504606846976 tensors/],
  ["2^60 pairs", headerOf([], { pairs: 2n ** 60n }), /promises 1152921504606846976 key-value pairs/],
  ["a text of 4 GB", headerOf([["general.name", 8, u64(2n ** 32n)]]), /promises 4294967296 bytes of a text/],
  ["a list of 2^61", headerOf([["a", 9, joined(u32(10), u64(2n ** 61n))]]), /promises 2305843009213693952 values/],
  [
    "lists in lists",
    headerOf([["a", 9, joined(...Array.from({ length: 40 }, () => joined(u32(9), u64(1n))))]]),
    /lists in lists/,
  ],
  ["an unknown type of value", headerOf([["a", 99, u32(1)]]), /unknown type 99/],
  ["an unknown type of list", headerOf([["a", 9, joined(u32(77), u64(1n))]]), /unknown type 77/],
  ["the same key twice", headerOf([["a", 4, u32(1)], ["a", 4, u32(2)]]), /the key a twice/], // prettier-ignore
  ["the same tensor twice", withTensors([["w", [32], 0, 0n], ["w", [32], 0, 128n]]), /the tensor w twice/], // prettier-ignore
  ["nine dimensions", withTensors([["w", Array.from({ length: 9 }, () => 2), 0, 0n]]), /9 dimensions/],
  ["a shape of nothing", withTensors([["w", [0], 0, 0n]]), /the shape 0/],
  ["a shape beyond numbers", withTensors([["w", [2 ** 31, 2 ** 31, 2 ** 31], 0, 0n]]), /the shape 2147483648/],
  ["a row that blocks do not fill", withTensors([["w", [33], 2, 0n]]), /rows of 33.*Q4_0/],
  ["an unknown tensor type", withTensors([["w", [32], 4711, 0n]]), /the type 4711/],
  ["an offset between places", withTensors([["w", [32], 0, 7n]]), /between two places/],
  ["an offset outside", withTensors([["w", [32], 0, 2n ** 40n]]), /is truncated: the tensor w ends at/],
  ["tensors over one another", withTensors([["a", [32], 0, 0n], ["b", [32], 0, 64n]]), /a and b over one another/], // prettier-ignore
  ["an alignment of 7", headerOf([["general.alignment", 4, u32(7)]]), /the alignment 7/],
  ["control characters in a name", withTensors([["\u001b[31mw", [33], 2, 0n]]), /tensor �\[31mw/],
];

test.each(hostile)("%s is refused in words", async (_what, bytes, words) => {
  const failure = await readGgufHeader(sourceOf(bytes)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(GgufError);
  expect(String(failure)).toMatch(words);
});

test("a file cut anywhere is told to be cut", async () => {
  for (let end = 5; end < model.length; end += 997) {
    await expect(readGgufHeader(sourceOf(model.slice(0, end)))).rejects.toThrow(/is truncated/);
  }
});

test("300 headers with flipped, lost and repeated bytes are read or refused, in bounded memory", async () => {
  const { seed, random } = seeded();
  const pick = (below: number): number => Math.floor(random() * below);
  for (let round = 0; round < 300; round++) {
    const whole = round % 2 === 0 ? model : types;
    let bytes = whole.slice();
    for (let i = 0; i <= pick(4); i++) {
      const at = pick(8000);
      const kind = pick(4);
      if (kind === 0) bytes[at] = pick(256);
      else if (kind === 1) bytes.fill(255, at, at + 8);
      else if (kind === 2) bytes = joined(bytes.slice(0, at), bytes.slice(at + 1 + pick(40)));
      else bytes = joined(bytes.slice(0, at), bytes.slice(Math.max(0, at - 64)));
    }
    const source = sourceOf(bytes);
    const outcome = await readGgufHeader(source).catch((error: unknown) => error);
    const told = `seed ${seed}, round ${round}: ${String(outcome)}`;
    if (outcome instanceof Error) expect(outcome, told).toBeInstanceOf(GgufError);
    else {
      const { tensors } = outcome as Awaited<ReturnType<typeof readGgufHeader>>;
      for (const { offset, bytes: length } of tensors) expect(offset + length, told).toBeLessThanOrEqual(bytes.length);
    }
  }
});

function u32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function u64(value: bigint): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function text(value: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(value);
  return joined(u64(BigInt(bytes.length)), bytes);
}

function strings(values: readonly string[]): Uint8Array<ArrayBuffer> {
  return joined(u32(8), u64(BigInt(values.length)), ...values.map(text));
}

function headerOf(
  pairs: readonly (readonly [key: string, type: number, value: Uint8Array])[],
  lies: { readonly version?: number; readonly tensors?: bigint; readonly pairs?: bigint } = {},
  tensors: readonly Uint8Array[] = [],
): Uint8Array<ArrayBuffer> {
  return joined(
    new TextEncoder().encode("GGUF"),
    u32(lies.version ?? 3),
    u64(lies.tensors ?? BigInt(tensors.length)),
    u64(lies.pairs ?? BigInt(pairs.length)),
    ...pairs.map(([key, type, value]) => joined(text(key), u32(type), value)),
    ...tensors,
  );
}

/** A file with these tensors (shapes fastest axis first) and room for a few numbers. */
function withTensors(
  tensors: readonly (readonly [name: string, shape: readonly number[], type: number, offset: bigint])[],
): Uint8Array<ArrayBuffer> {
  const described = tensors.map(([name, shape, type, offset]) =>
    joined(text(name), u32(shape.length), ...shape.map((n) => u64(BigInt(n))), u32(type), u64(offset)),
  );
  return joined(headerOf([], {}, described), new Uint8Array(600));
}
