// A kernel's memory, real ones throughout: where things go, how weights get in, and what happens when there is no room.
import { expect, test } from "vitest";
import type { PackageFiles } from "#engine/types.ts";
import type { OnnxTensor } from "#formats/onnx-reader.ts";
import { header, headerBytes } from "#engine/kernel/layout/team.ts";
import { floatWord, KernelMemory, readTensor, tableWords, type WeightFiles } from "./memory.ts";

const mebibyte = 2 ** 20;
const pageBytes = 65_536;

/** Files in memory; any other one is missing. */
function weightFiles(blobs: Readonly<Record<string, Blob>>): WeightFiles {
  const files: PackageFiles = {
    blob: (path) => {
      const blob = blobs[path];
      return blob ? Promise.resolve(blob) : Promise.reject(new Error(`there is no ${path}`));
    },
  };
  return { files, pathOf: (file) => file };
}
const noFiles = weightFiles({});

/** Bytes that differ from place to place and from file to file. */
function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >> 8) + seed;
  return bytes;
}

function stored(file: string, offset: number, bytes: number): OnnxTensor {
  return { type: 2, dims: [bytes], data: { file, offset, bytes } };
}

test("places are aligned, zeroed, apart from each other and behind the header", async () => {
  const memory = new KernelMemory();
  const sizes = [1, 64, 65, 1000, pageBytes];
  const places = sizes.map((bytes) => memory.place(bytes));
  await memory.make(0, noFiles);
  let free = header + headerBytes;
  for (const [i, at] of places.entries()) {
    expect(at % 64).toBe(0);
    expect(at).toBeGreaterThanOrEqual(free);
    free = at + (sizes[i] ?? 0);
  }
  expect(memory.bytes.length).toBeGreaterThanOrEqual(free);
  expect(memory.bytes.subarray(header).every((byte) => byte === 0)).toBe(true);
});

test("weights of every place, length and file arrive where they belong", async () => {
  const [first, second] = [pattern(100_000, 1), pattern(18 * mebibyte, 2)];
  const files = weightFiles({ first: new Blob([first]), second: new Blob([second]) });
  const inline: OnnxTensor = { type: 1, dims: [3], data: pattern(12, 3) };
  // Neighbours, with a gap that is read along and one that is not, out of order, overlapping, and longer than one read.
  const tensors = [
    stored("first", 50_000, 7),
    stored("first", 0, 1000),
    stored("first", 1000, 24),
    stored("first", 3000, 10_000),
    stored("second", 5, 17 * mebibyte),
    stored("first", 99_999, 1),
    stored("second", 9 * mebibyte, 4096),
  ];
  const memory = new KernelMemory();
  const inlineAt = memory.placeTensor(inline);
  const places = tensors.map((tensor) => memory.placeTensor(tensor));
  await memory.make(0, files);
  const bytesAt = (at: number, length: number) => Buffer.from(memory.bytes.buffer, at, length);
  expect(bytesAt(inlineAt, 12).equals(pattern(12, 3))).toBe(true);
  for (const [i, { data }] of tensors.entries()) {
    if (data instanceof Uint8Array) throw new Error("the tensor is not in a file");
    const { file, offset, bytes } = data;
    const source = (file === "first" ? first : second).subarray(offset, offset + bytes);
    expect(bytesAt(places[i] ?? 0, bytes).equals(source), `${file} ${offset}`).toBe(true);
    expect((await readTensor(tensors[i] ?? inline, files)).length).toBe(bytes);
  }
});

test("a browser whose Blobs are no byte streams reads them whole", async () => {
  class PlainBlob extends Blob {
    override slice(...range: Parameters<Blob["slice"]>): Blob {
      return new PlainBlob([super.slice(...range)]);
    }
    override stream(): ReturnType<Blob["stream"]> {
      return new ReadableStream<Uint8Array<ArrayBuffer>>();
    }
  }
  const bytes = pattern(5000, 4);
  const memory = new KernelMemory();
  const at = memory.placeTensor(stored("weights", 100, 4000));
  await memory.make(0, weightFiles({ weights: new PlainBlob([bytes]) }));
  expect(memory.bytes.slice(at, at + 4000)).toEqual(bytes.slice(100, 4100));
});

test("a file that ends too early is a bad package", async () => {
  const files = weightFiles({ weights: new Blob([pattern(100, 5)]) });
  const memory = new KernelMemory();
  memory.placeTensor(stored("weights", 90, 11));
  await expect(memory.make(0, files)).rejects.toMatchObject({ code: "bad-package", message: "weights is too short" });
  await expect(readTensor(stored("weights", 0, 101), files)).rejects.toMatchObject({ code: "bad-package" });
});

test("a memory grows by what was announced, keeps what it holds, and no further", async () => {
  const memory = new KernelMemory();
  const first = memory.place(16);
  await memory.make(2 * pageBytes, noFiles);
  memory.words(first, [1, -2]);
  const grown = memory.place(2 * pageBytes);
  memory.words(grown, [3]);
  expect([...new Int32Array(memory.memory.buffer, first, 2)]).toEqual([1, -2]);
  expect(memory.floats.length * 4).toBeGreaterThanOrEqual(grown + 2 * pageBytes);
  expect(() => memory.place(2 * pageBytes)).toThrow(expect.objectContaining({ code: "out-of-memory" }));
});

test("weights that no WebAssembly memory can hold are told apart from other failures", async () => {
  const memory = new KernelMemory();
  memory.place(2 ** 32);
  await expect(memory.make(0, noFiles)).rejects.toMatchObject({ code: "out-of-memory" });
});

test("a memory is not used before it is made", () => {
  expect(() => new KernelMemory().floats).toThrow("before it was made");
});

test("a table's fields stand at their offsets, and what has no value is zero", () => {
  const offsets = { second: 8, pair: 16, first: 0, bytes: 28 };
  expect(tableWords(offsets, { first: 1, second: 2, pair: [3, 4] })).toEqual([1, 0, 2, 0, 3, 4, 0]);
});

test("header fields are words, also where they are floats", async () => {
  const memory = new KernelMemory();
  await memory.make(0, noFiles);
  memory.fields({ count: 28, epsilon: 32 }, { count: 7, epsilon: floatWord(1e-5) });
  expect(new Int32Array(memory.memory.buffer)[(header + 28) >> 2]).toBe(7);
  expect(memory.floats[(header + 32) >> 2]).toBe(Math.fround(1e-5));
});
