import { expect, test } from "vitest";
import { judgeFit, type DeviceFacts } from "./fit.ts";
import { packageFacts } from "./package-facts.ts";
import type { Manifest } from "./manifest.ts";

const gigabyte = 1e9;

/** A package whose decoder weights have so many bytes, and whose embeddings a quarter of a gigabyte. */
function packageOf(
  decoderBytes: number,
  { bits = 4, embedBytes = gigabyte / 4 }: { bits?: 4 | 16; embedBytes?: number } = {},
): Manifest {
  const file = (path: string, bytes: number) => ({
    path,
    bytes,
    shards: [{ offset: 0, bytes, sha256: "0".repeat(64) }],
  });
  return {
    version: 1,
    model: {
      id: "m",
      name: "M",
      license: "Apache-2.0",
      architecture: "llava",
      template: "vicuna_v1",
      imageAspect: "pad",
      imageTokens: 576,
      contextLength: 4096,
    },
    graphs: {
      vision: { path: "v.onnx", data: [], bits: 32 },
      embed: { path: "e.onnx", data: ["e.data"], bits: 32 },
      decoder: { path: "d.onnx", data: ["d.data"], bits },
    },
    files: [
      file("v.onnx", 10),
      file("e.onnx", 10),
      file("d.onnx", 10),
      file("e.data", embedBytes),
      file("d.data", decoderBytes),
    ],
  };
}

const gpu = { maxBufferBytes: 2 * gigabyte, shaderF16: true };
const roomy: DeviceFacts = { gpu, memoryBytes: 32 * gigabyte, roomBytes: 100 * gigabyte };

test("a package that has room everywhere fits, without a reason", () => {
  expect(judgeFit(packageFacts(packageOf(4 * gigabyte)), roomy)).toEqual({ verdict: "fits", reasons: [] });
});

test("what a browser does not tell counts neither way", () => {
  expect(judgeFit(packageFacts(packageOf(4 * gigabyte)), { gpu })).toEqual({ verdict: "fits", reasons: [] });
});

test.each<[string, Manifest, DeviceFacts, string, string[]]>([
  [
    "embeddings larger than a GPU buffer",
    packageOf(1, { embedBytes: 3 * gigabyte }),
    roomy,
    "wont-fit",
    ["buffer-too-small"],
  ],
  [
    "16-bit graphs on a GPU without 16-bit arithmetic",
    packageOf(1, { bits: 16 }),
    { ...roomy, gpu: { ...gpu, shaderF16: false } },
    "wont-fit",
    ["no-shader-f16"],
  ],
  ["more than the machine's memory", packageOf(30 * gigabyte), roomy, "wont-fit", ["memory-too-small"]],
  ["more than can be stored", packageOf(4 * gigabyte), { ...roomy, roomBytes: gigabyte }, "tight", ["no-room"]],
  ["most of the machine's memory", packageOf(20 * gigabyte), roomy, "tight", ["memory-tight"]],
  [
    "a large one on the processor",
    packageOf(4 * gigabyte),
    { memoryBytes: 32 * gigabyte },
    "tight",
    ["slow-without-gpu"],
  ],
  [
    "several at once, the impossible first",
    packageOf(30 * gigabyte, { bits: 16 }),
    { gpu: { ...gpu, shaderF16: false }, memoryBytes: 8 * gigabyte, roomBytes: 0 },
    "wont-fit",
    ["no-shader-f16", "memory-too-small", "no-room"],
  ],
])("%s", (_, manifest, device, verdict, reasons) => {
  expect(judgeFit(packageFacts(manifest), device)).toEqual({ verdict, reasons });
});

test("a small one is quick enough on the processor", () => {
  expect(judgeFit(packageFacts(packageOf(9e6, { embedBytes: 1e6 })), {})).toEqual({ verdict: "fits", reasons: [] });
});

test("only what is missing has to be stored", () => {
  const device = { ...roomy, roomBytes: gigabyte };
  expect(judgeFit(packageFacts(packageOf(4 * gigabyte)), device, gigabyte / 2).verdict).toBe("fits");
});

test("16-bit graphs are no matter where the processor computes", () => {
  expect(judgeFit(packageFacts(packageOf(1, { bits: 16, embedBytes: 1 })), {}).verdict).toBe("fits");
});
