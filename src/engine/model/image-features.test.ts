import { expect, test } from "vitest";
import { createImageFeatures, hashPicture } from "./image-features.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";

test("the least recently used pictures go when the rest fills the room", () => {
  const runtime = createNodeRuntime();
  const features = createImageFeatures(2 * 40);
  for (const key of ["a", "b", "c"]) features.put(key, runtime.allocate([10]));
  expect(features.get("a")).toBeDefined();
  features.trim();
  expect(features.get("b")).toBeUndefined();
  expect(features.get("a")).toBeDefined();
  expect(features.get("c")).toBeDefined();
  features.put("c", runtime.allocate([10]));
  expect(runtime.aliveTensors).toBe(2);
  features.dispose();
  expect(runtime.aliveTensors).toBe(0);
});

test("no more pictures are held than allowed", () => {
  const runtime = createNodeRuntime();
  const features = createImageFeatures(1e9, 2);
  for (const key of ["a", "b", "c"]) features.put(key, runtime.allocate([10]));
  features.trim();
  expect(["a", "b", "c"].map((key) => features.get(key) !== undefined)).toEqual([false, true, true]);
  features.dispose();
});

test("a picture is known by its bytes, in SHA-256", async () => {
  expect(await hashPicture(new Blob(["abc"]))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
