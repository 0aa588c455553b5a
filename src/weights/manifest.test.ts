import { expect, test } from "vitest";
import { packageBytes, parseManifest } from "./manifest.ts";

const hash = "0".repeat(64);
const file = (path: string, ...sizes: number[]) => {
  let offset = 0;
  const shards = sizes.map((bytes) => {
    offset += bytes;
    return { offset: offset - bytes, bytes, sha256: hash };
  });
  return { path, bytes: offset, shards };
};
const graph = (name: string) => ({ path: `onnx/${name}.onnx`, data: [`onnx/${name}.onnx_data`], bits: 4 });
const good = {
  version: 1,
  model: {
    id: "m",
    name: "M",
    license: "Apache-2.0",
    architecture: "llava",
    template: "vicuna_v1",
    imageAspect: "pad",
    imageTokens: 4,
    contextLength: 64,
  },
  graphs: { vision: graph("v"), embed: graph("e"), decoder: graph("d") },
  files: ["v", "e", "d"].flatMap((name) => [file(`onnx/${name}.onnx`, 10), file(`onnx/${name}.onnx_data`, 100, 50)]),
};

test("a good manifest is read, and its bytes are counted", () => {
  const result = parseManifest(good);
  expect(result.ok && packageBytes(result.manifest)).toBe(480);
});

test.each([
  ["no object", "text", /manifest/],
  ["another version", { ...good, version: 2 }, /version/],
  ["a gap between shards", { ...good, files: [...good.files, gap()] }, /gap at byte 10/],
  [
    "a file that is longer than its shards",
    { ...good, files: [...good.files, { ...file("x", 5), bytes: 6 }] },
    /5 of 6/,
  ],
  ["a file listed twice", { ...good, files: [...good.files, file("onnx/v.onnx", 1)] }, /twice/],
  ["a graph that is not listed", { ...good, files: good.files.slice(1) }, /onnx\/v\.onnx is needed/],
  ["a way out of the folder", { ...good, files: [...good.files, file("../secret", 1)] }, /inside the package/],
  ["an absolute path", { ...good, files: [...good.files, file("/etc/passwd", 1)] }, /inside the package/],
  ["another site", { ...good, files: [...good.files, file("https://example.com/x", 1)] }, /inside the package/],
  [
    "a hash that is none",
    { ...good, files: [{ ...file("x", 1), shards: [{ offset: 0, bytes: 1, sha256: "AB" }] }] },
    /64 hex/,
  ],
])("a bad manifest is refused with what is wrong: %s", (_, json, problem) => {
  const result = parseManifest(json);
  expect(result.ok ? "accepted" : result.problem).toMatch(problem);
});

function gap() {
  const { path, shards } = file("x", 10, 5);
  return { path, bytes: 20, shards: [shards[0], { ...shards[1], offset: 15 }] };
}
