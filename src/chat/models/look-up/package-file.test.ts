import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { isCheckpoint, isPackageFolder, isPackageZip } from "./package-file.ts";

const zipOf = (...paths: string[]): Blob =>
  new Blob([new Uint8Array(zipSync(Object.fromEntries(paths.map((path) => [path, new Uint8Array(3)]))))]);

test("a zip of a package is told from one of conversations", async () => {
  expect(await isPackageZip(zipOf("manifest.json", "onnx/a.onnx"))).toBe(true);
  expect(await isPackageZip(zipOf("my model/manifest.json", "my model/onnx/a.onnx"))).toBe(true);
  expect(await isPackageZip(zipOf("conversations.json", "images/a.png"))).toBe(false);
  expect(await isPackageZip(zipOf("manifest.json"))).toBe(false);
  expect(await isPackageZip(new Blob(["no zip"]))).toBe(false);
});

test("a manifest deep in a folder makes no package of it", () => {
  expect(isPackageFolder(["photos/app/manifest.json", "photos/model.onnx"])).toBe(false);
});

test("a checkpoint is told by its weights, whatever is beside them; a package with an adapter's file is none", () => {
  expect(isCheckpoint(["llava/config.json", "llava/model-00001-of-00003.safetensors"])).toBe(true);
  expect(isCheckpoint(["ggml-model-q4_k.gguf", "mmproj-model-f16.gguf"])).toBe(true);
  expect(isCheckpoint(["llava/pytorch_model-00001-of-00002.bin", "llava/config.json"])).toBe(true);
  expect(isCheckpoint(["llava/config.json", "llava/training_args.bin"])).toBe(false);
  expect(isCheckpoint(["manifest.json", "onnx/a.onnx", "model.safetensors"])).toBe(false);
  expect(isCheckpoint(["photo.jpg"])).toBe(false);
});
