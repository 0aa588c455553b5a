import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { isPackageFolder, isPackageZip } from "./package-file.ts";

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
