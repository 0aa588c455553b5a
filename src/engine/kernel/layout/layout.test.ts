// The tables that kernels and their hosts are made from.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as classifier from "./classifier.ts";
import * as classifierBlock from "./classifier-block.ts";
import * as llamaHeader from "./llama-header.ts";
import * as llamaLayer from "./llama-layer.ts";
import * as lora from "./lora.ts";
import * as matrix from "./matrix.ts";
import * as team from "./team.ts";
import * as visionBlock from "./vision-block.ts";
import * as visionHeader from "./vision-header.ts";

const wordBytes = 4;

test.each([
  ["llama", llamaHeader],
  ["vision", visionHeader],
])("the fields of the %s kernel follow each other without gaps and end before the work queue", (_, header) => {
  const offsets = Object.values(header).toSorted((a, b) => a - b);
  expect(offsets).toEqual(offsets.map((_, i) => team.kernelFields + i * wordBytes));
  expect((offsets.at(-1) ?? 0) + wordBytes).toBeLessThanOrEqual(team.ticket);
});

test("the team's own fields do not overlap each other or a kernel's, and fit the header", () => {
  const { headerBytes, kernelFields } = team;
  const offsets = Object.entries(team)
    .filter(([name]) => !["header", "headerBytes", "kernelFields"].includes(name))
    .map(([, offset]) => offset)
    .toSorted((a, b) => a - b);
  expect(new Set(offsets).size).toBe(offsets.length);
  expect(offsets.filter((offset) => offset >= kernelFields && offset < team.ticket)).toEqual([]);
  expect((offsets.at(-1) ?? 0) + wordBytes).toBeLessThanOrEqual(headerBytes);
  // One atomic i64 for both, and no cache line that the host's fields are on.
  expect([team.phase - team.ticket, team.ticket % 64]).toEqual([wordBytes, 0]);
});

/** Where fields of these sizes end up, one after another. */
function laidOut(sizes: Readonly<Record<string, number>>): Record<string, number> {
  let at = 0;
  const offsets: Record<string, number> = {};
  for (const [name, bytes] of Object.entries(sizes)) {
    offsets[name] = at;
    at += bytes;
  }
  return { ...offsets, bytes: at };
}

test("matrices, layers, blocks and the classifier are packed tightly", () => {
  const word = wordBytes;
  expect({ ...matrix }).toEqual(
    laidOut({ bits: word, rows: word, columns: word, data: word, scales: word, zeroPoints: word, bias: word }),
  );
  const matrices = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, matrix.bytes]));
  expect({ ...llamaLayer }).toEqual(
    laidOut({
      ...{ attentionNorm: word, mlpNorm: word, attentionPostNorm: word, mlpPostNorm: word },
      ...{ queryNorm: word, keyNorm: word, window: word },
      ...matrices("qkv", "out", "gate", "up", "down"),
      ...{ qkvLora: word, outLora: word, gateLora: word, upLora: word, downLora: word },
    }),
  );
  expect({ ...visionBlock }).toEqual(
    laidOut({ attentionNorm: 2 * word, mlpNorm: 2 * word, ...matrices("qkv", "out", "wide", "narrow") }),
  );
  const { ranks, columns, down, scales, low, parts, end, rank, first, up, ...loraSizes } = lora;
  expect([ranks, columns, down, scales, low, parts]).toEqual([0, 1, 2, 3, 4, 5].map((i) => i * word));
  expect([end, rank, first, up, loraSizes.partBytes]).toEqual([0, 1, 2, 3, 4].map((i) => i * word));
  expect(loraSizes.bytes).toBe(parts + loraSizes.mostParts * loraSizes.partBytes);
  const { bytes, ...classifierWords } = classifier;
  expect(Object.values(classifierWords).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: bytes / word }, (_, i) => i * word),
  );
  const { expand, project, bytes: blockBytes, ...blockWords } = classifierBlock;
  expect(Object.values(blockWords).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: expand / word }, (_, i) => i * word),
  );
  expect([project - expand, blockBytes - project]).toEqual([matrix.bytes, matrix.bytes]);
});

test.each(["attention", "classifier", "llama", "lora", "matrix", "panels", "team", "vision"])(
  "kernels/%s.ts has no offsets of its own",
  (name) => {
    const source = readFileSync(new URL(`../../../../kernels/${name}.ts`, import.meta.url), "utf8");
    expect(
      source.match(/header \+ \d+|(?:field|address)\(\d+|load<\w+>\((?:matrix|head|table|block|lora|part), \d+/g),
    ).toBeNull();
  },
);
