import { expect, test } from "vitest";
import { dataFileWriter, placeWeights } from "./external-data.ts";
import type { Weight } from "./graph.ts";
import { rowSteps, wholeStep } from "./weight-steps.ts";

const weight = (name: string, bytes: number): Weight => ({
  name,
  dtype: "uint8",
  dims: [bytes],
  bytes,
  steps: () => [wholeStep({ name, bytes }, [], () => Promise.resolve(new Uint8Array(bytes).fill(name.charCodeAt(0))))],
});

test("weights begin at multiples of 64 bytes, and a file that is full is followed by the next", () => {
  const { files, placements } = placeWeights("onnx/g.onnx", [weight("a", 10), weight("b", 60), weight("c", 70)], 130);
  expect(files.map(({ path, bytes }) => [path, bytes])).toEqual([
    ["onnx/g.onnx_data", 124],
    ["onnx/g.onnx_data_1", 70],
  ]);
  expect(placements.get("b")).toEqual({ location: "g.onnx_data", offset: 64 });
  expect(placements.get("c")).toEqual({ location: "g.onnx_data_1", offset: 0 });
});

test("a weight larger than a file gets one of its own", () => {
  const { files } = placeWeights("g.onnx", [weight("a", 10), weight("b", 500), weight("c", 10)], 100);
  expect(files.map((file) => file.bytes)).toEqual([10, 500, 10]);
});

test("what is written lies where the layout says", async () => {
  const { files } = placeWeights("g.onnx", [weight("a", 3), weight("b", 2)]);
  const out: number[] = [];
  let closed = false;
  const writer = {
    write: (bytes: Uint8Array) => Promise.resolve(void out.push(...bytes)),
    close: () => Promise.resolve(void (closed = true)),
  };
  const writeDataFile = dataFileWriter();
  for (const file of files) await writeDataFile(file, writer);
  expect(out.slice(0, 4)).toEqual([97, 97, 97, 0]);
  expect(out.slice(64)).toEqual([98, 98]);
  expect(closed).toBe(true);
});

test("two weights of one name, or one that writes too little, are bugs that are heard of", async () => {
  expect(() => placeWeights("g.onnx", [weight("a", 1), weight("a", 1)])).toThrow(/two weights are called a/);
  const short = { ...weight("a", 4), steps: weight("a", 3).steps };
  const writer = { write: () => Promise.resolve(), close: () => Promise.resolve() };
  const [file] = placeWeights("g.onnx", [short]).files;
  if (!file) throw new Error("no file");
  await expect(dataFileWriter()(file, writer)).rejects.toThrow(/a wrote 3 bytes instead of 4/);
});

test("what a step makes along for a weight of the next file is written there", async () => {
  const [first, second] = [weight("a", 100), { ...weight("b", 4), steps: () => [] }];
  const both = {
    ...first,
    steps: () =>
      rowSteps(
        { count: 4, perStep: 3 },
        [
          { weight: "a", bytesPerRow: 25 },
          { weight: "b", bytesPerRow: 1 },
        ],
        () => [],
        (start, count) =>
          Promise.resolve([
            new Uint8Array(25 * count).fill(start),
            Uint8Array.from({ length: count }, (_, i) => start + i),
          ]),
      ),
  };
  const { files } = placeWeights("g.onnx", [both, second], 100);
  const written: number[][] = [];
  const writeDataFile = dataFileWriter();
  for (const file of files) {
    const out: number[] = [];
    written.push(out);
    await writeDataFile(file, {
      write: (bytes) => Promise.resolve(void out.push(...bytes)),
      close: () => Promise.resolve(),
    });
  }
  expect(written[0]).toEqual([...Array<number>(75).fill(0), ...Array<number>(25).fill(3)]);
  expect(written[1]).toEqual([0, 1, 2, 3]);
});
