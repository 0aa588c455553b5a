import { expect, test } from "vitest";
import { packageBytes, parseManifest } from "./manifest.ts";
import { testPackage } from "#testing/servers/package-server.node.ts";

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

const capitals = { offset: 0, bytes: 1, sha256: "F".repeat(64) };
const longer = { offset: 0, bytes: 1, sha256: `${hash} ` };
const expanded = { path: "onnx/d_f32.onnx", recipe: "expand.json", bytes: 1 };

test("a good manifest is read, and its bytes are counted", () => {
  const result = parseManifest(good);
  expect(result.ok && packageBytes(result.manifest)).toBe(480);
});

test.each([
  ["no object", "text", /manifest/],
  ["another version", { ...good, version: 2 }, /version/],
  ["a gap between shards", { ...good, files: [...good.files, gap()] }, /gap at byte 10/],
  ["shards that overlap", { ...good, files: [...good.files, overlap()] }, /overlap at byte 9/],
  ["shards in another order", { ...good, files: [...good.files, backwards()] }, /gap at byte 0/],
  ["a hash in capitals", { ...good, files: [{ ...file("x", 1), shards: [capitals] }] }, /64 hex/],
  ["a hash with something after it", { ...good, files: [{ ...file("x", 1), shards: [longer] }] }, /64 hex/],
  ["a size below zero", { ...good, files: [...good.files, { ...file("x", 1), bytes: -1 }] }, /bytes/],
  ["half a byte", { ...good, files: [...good.files, { ...file("x", 1), bytes: 0.5 }] }, /bytes/],
  ["a self-test that is not listed", { ...good, selfTest: "self-test.json" }, /self-test\.json is needed/],
  [
    "an expansion that is not listed",
    { ...good, graphs: { ...good.graphs, decoder: { ...graph("d"), expanded } } },
    /f32\.onnx is needed/,
  ],
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

test.each([
  "..",
  ".",
  "./a",
  "a/..",
  "a/./b",
  "a/../../b",
  "//other.example/a",
  "C:\\a",
  "a\\b",
  "%2e%2e/a",
  "a?b",
  "a#b",
  "a\n",
  "",
])("the path %j is refused", (path) => {
  const result = parseManifest({ ...good, files: [...good.files, file(path, 1)] });
  expect(result.ok ? "accepted" : result.problem).toMatch(/inside the package/);
});

test.each(["a..b/c", ".hidden", "..a", "a/b-c_d+e@1.onnx"])("the path %j stays inside the package", (path) => {
  expect(parseManifest({ ...good, files: [...good.files, file(path, 1)] }).ok).toBe(true);
});

function gap() {
  const { path, shards } = file("x", 10, 5);
  return { path, bytes: 20, shards: [shards[0], { ...shards[1], offset: 15 }] };
}

function overlap() {
  const { path, shards } = file("x", 10, 5);
  return { path, bytes: 14, shards: [shards[0], { ...shards[1], offset: 9 }] };
}

function backwards() {
  const whole = file("x", 10, 5);
  return { ...whole, shards: whole.shards.toReversed() };
}

test("a context or a picture of absurdly many tokens is refused by its name, at once", () => {
  for (const [field, value] of [
    ["contextLength", 1e12],
    ["imageTokens", 1e9],
  ] as const) {
    const { manifest } = testPackage();
    const result = parseManifest({ ...manifest, model: { ...manifest.model, [field]: value } });
    expect(result).toMatchObject({ ok: false, problem: `model.${field}: no model has so many tokens` });
  }
});
