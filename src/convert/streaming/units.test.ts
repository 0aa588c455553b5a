// Where the stream of a checkpoint is cut into units: random checkpoints keep the promises, and single cases say what is cut and carried.
import { expect, test } from "vitest";
import type { Span } from "#convert/checkpoint/checkpoint.ts";
import type { DataFile } from "#convert/onnx/external-data.ts";
import type { Weight } from "#convert/onnx/graph.ts";
import { rowSteps, wholeStep, type WeightStep } from "#convert/onnx/weight-steps.ts";
import { wholeFile } from "#convert/places/remote-file.ts";
import { seeded } from "#testing/seeded.ts";
import { planUnits, type StreamPlan } from "./units.ts";

const source = (bytes: number) => wholeFile(new Uint8Array(bytes));
const nothing = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array());

function weight(name: string, bytes: number, steps: readonly WeightStep[]): Weight {
  return { name, dtype: "uint8", dims: [bytes], bytes, steps: () => steps };
}

/** A weight of one step, which reads these. */
function whole(name: string, bytes: number, reads: readonly Span[] | undefined): Weight {
  return weight(name, bytes, [wholeStep({ name, bytes }, reads, nothing)]);
}

/** Weights one after the other, each at a multiple of 64. */
function dataFile(path: string, weights: readonly Weight[]): DataFile {
  let end = 0;
  const placed = weights.map((one) => {
    const offset = Math.ceil(end / 64) * 64;
    end = offset + one.bytes;
    return { weight: one, offset };
  });
  return { path, bytes: end, weights: placed };
}

/** A checkpoint of matrices that lie anywhere in its files, some in several, with biases, and the package's files of them. */
function randomCheckpoint(random: () => number) {
  const upTo = (n: number): number => Math.floor(random() * n);
  const files = Array.from({ length: 1 + upTo(3) }, (_, i) => ({ name: `${i}.safetensors`, source: source(4000) }));
  const anywhere = (bytes: number): Span => {
    const file = files[upTo(files.length)] ?? { source: source(4000) };
    return { source: file.source, offset: upTo(4000 - bytes), bytes };
  };
  const weights = Array.from({ length: 3 + upTo(20) }, (_, i): Weight[] => {
    const [rows, cols] = [1 + upTo(12), 1 + upTo(40)];
    const name = `matrix.${i}`;
    if (random() < 0.3) return [whole(`bias.${i}`, rows * 4, [anywhere(rows * 2)])];
    const first = anywhere(rows * cols);
    const parts = [
      { weight: `${name}.data`, bytesPerRow: cols },
      { weight: `${name}.scales`, bytesPerRow: 4 },
    ];
    const reads = (start: number, count: number): Span[] => [
      { ...first, offset: first.offset + start * cols, bytes: count * cols },
    ];
    const steps = rowSteps({ count: rows, perStep: 1 + upTo(rows) }, parts, reads, () => Promise.resolve([]));
    return [weight(`${name}.data`, rows * cols, steps), weight(`${name}.scales`, rows * 4, [])];
  });
  const cut = upTo(weights.length);
  const parts = [
    [dataFile("a.onnx_data", weights.slice(0, cut).flat())],
    [dataFile("b.onnx_data", weights.slice(cut).flat())],
  ];
  return { files, parts: parts.map((part) => part.filter(({ bytes }) => bytes > 0)) };
}

/** Where a span lies in the stream. */
function placeOf({ files }: StreamPlan, span: Span): readonly [number, number] {
  const start = (files.find((file) => file.source === span.source)?.start ?? NaN) + span.offset;
  return [start, start + span.bytes];
}

const { seed, random } = seeded();

test(`200 random checkpoints (seed ${seed}): every step is in one unit, behind which nothing is read that is not carried`, () => {
  for (let i = 0; i < 200; i++) {
    const { files, parts } = randomCheckpoint(random);
    const unitBytes = 1 + Math.floor(random() * 800);
    const plan = planUnits(files, parts, unitBytes);
    const all = parts.flat().flatMap(({ weights }) => weights.flatMap((one) => one.weight.steps()));
    expect(plan.units.flatMap(({ steps }) => steps.map(({ step }) => step))).toHaveLength(all.length);
    let before = 0;
    for (const [n, { steps, end, carried }] of plan.units.entries()) {
      expect(end).toBeGreaterThan(before);
      before = end;
      const made = steps.flatMap(({ targets }) => targets).reduce((sum, { bytes }) => sum + bytes, 0);
      if (n < plan.units.length - 1) expect(made).toBeGreaterThanOrEqual(unitBytes);
      expect(Math.max(...steps.map((placed) => placed.end))).toBeLessThanOrEqual(end);
      const held = carried.map((span) => placeOf(plan, span));
      for (const { step } of plan.units.slice(n + 1).flatMap((later) => later.steps)) {
        for (const [from, to] of (step.reads ?? []).map((span) => placeOf(plan, span))) {
          if (from < end) expect(held).toContainEqual([from, Math.min(to, end)]);
        }
      }
    }
  }
});

test(`200 random checkpoints (seed ${seed}): the shards are the files of the package, without a gap, numbered in their order`, () => {
  for (let i = 0; i < 200; i++) {
    const { files, parts } = randomCheckpoint(random);
    const plan = planUnits(files, parts, 1 + Math.floor(random() * 800));
    for (const { path, bytes, shards: count } of plan.made) {
      const shards = plan.units
        .flatMap(({ shards }) => shards)
        .filter((shard) => shard.path === path)
        .toSorted((a, b) => a.index - b.index);
      expect(shards.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, n) => n));
      let end = 0;
      for (const shard of shards) {
        expect(shard.offset).toBe(end);
        end += shard.bytes;
      }
      expect(end).toBe(bytes);
    }
    for (const { steps, shards } of plan.units) {
      for (const { path, offset, bytes } of steps.flatMap(({ targets }) => targets)) {
        const inside = shards
          .filter((shard) => shard.path === path)
          .reduce((sum, shard) => {
            const [from, to] = [Math.max(offset, shard.offset), Math.min(offset + bytes, shard.offset + shard.bytes)];
            return sum + Math.max(0, to - from);
          }, 0);
        expect(inside).toBe(bytes);
      }
    }
    expect(plan.packageBytes).toBe(plan.made.reduce((sum, { bytes }) => sum + bytes, 0));
  }
});

test("a file that holds nothing of the package is not in the stream", () => {
  const [used, unused] = [source(100), source(900)];
  const parts = [[dataFile("a", [whole("w", 10, [{ source: used, offset: 50, bytes: 20 }])])]];
  const plan = planUnits(
    [
      { name: "0", source: unused },
      { name: "1", source: used },
    ],
    parts,
    1,
  );
  expect(plan.files.map(({ name, start }) => [name, start])).toEqual([["1", 0]]);
  expect(plan.streamBytes).toBe(100);
});

test("a vector that lies before a cut and is read behind it is carried; where that is too much, nothing is cut there", () => {
  const file = source(5_000_000);
  const at = (offset: number, bytes: number): Span => ({ source: file, offset, bytes });
  const cutsWith = (shared: number) => {
    const weights = [
      whole("first", 64, [at(2_000_000, 64)]),
      whole("second", 64, [at(0, shared), at(4_000_000, 64)]),
      whole("third", 64, [at(4_500_000, 64)]),
    ];
    return planUnits([{ name: "0", source: file }], [[dataFile("a", weights)]], 64).units.map(({ end, carried }) => [
      end,
      carried.map(({ offset, bytes }) => [offset, bytes]),
    ]);
  };
  expect(cutsWith(100)).toEqual([
    [2_000_064, [[0, 100]]],
    [4_000_064, []],
    [4_500_064, []],
  ]);
  expect(cutsWith(2 ** 20 + 1)).toEqual([
    [4_000_064, []],
    [4_500_064, []],
  ]);
});

test("a run of more than 32 MiB is several shards of about the same size", () => {
  const file = source(10);
  const bytes = 70 * 2 ** 20;
  const plan = planUnits(
    [{ name: "0", source: file }],
    [[dataFile("a", [whole("w", bytes, [{ source: file, offset: 0, bytes: 10 }])])]],
    1,
  );
  expect(plan.units.map(({ shards }) => shards.map((shard) => shard.bytes))).toEqual([
    [Math.ceil(bytes / 3), Math.ceil(bytes / 3), bytes - 2 * Math.ceil(bytes / 3)],
  ]);
});

test("weights that are computed can't be streamed, which is a sentence; a file that was not opened is a fault of ours", () => {
  const file = source(10);
  const opened = [{ name: "0", source: file }];
  const planned = (reads: readonly Span[] | undefined) => () =>
    planUnits(opened, [[dataFile("a", [whole("merged.weight", 10, reads)])]], 1);
  expect(planned(undefined)).toThrow(/^merged\.weight is computed from several tensors, .* fetch them first/);
  expect(planned([{ source: source(5), offset: 0, bytes: 5 }])).toThrow("was not opened");
});
