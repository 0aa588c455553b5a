import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { currentVersion, readStored } from "./migrations.ts";
import { storeContract } from "#testing/store-contract.ts";
import { createFolderShardStore } from "./store.node.ts";
import { createMemoryShardStore, createShardStore } from "./store.ts";
import { packagePrefix, shardKey } from "./keys.ts";

describe("the store in memory keeps the contract:", () => {
  for (const { name, run } of storeContract) test(name, () => run(createMemoryShardStore()));
});

describe("the store in a folder keeps the contract:", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "llava-store-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  for (const { name, run } of storeContract) test(name, () => run(createFolderShardStore(join(folder, "shards"))));

  test("many puts at once do not mix", async () => {
    const store = createFolderShardStore(folder);
    const keys = Array.from({ length: 20 }, (_, index) => `a/b#${index}`);
    await Promise.all(keys.map((key) => store.put(key, new Blob([key]))));
    for (const key of keys) expect(await (await store.get(key))?.text()).toBe(key);
  });
});

test("the key of a shard changes with its hash, and stays inside its package", () => {
  const [a, b] = ["aa", "bb"].map((hash) => shardKey("my/model", "onnx/x.onnx", 3, hash));
  expect(a).not.toBe(b);
  expect(a?.startsWith(packagePrefix("my/model"))).toBe(true);
  expect(a?.startsWith(packagePrefix("my"))).toBe(false);
});

test.each([
  [new DOMException("full", "QuotaExceededError"), "quota"],
  [new DOMException("blocked", "SecurityError"), "storage"],
  [new Error("The user denied permission"), "storage"],
])("what the host throws becomes a code of ours", async (thrown, code) => {
  const fail = () => Promise.reject(thrown);
  const store = createShardStore({ get: fail, set: fail, keys: fail, delete: fail });
  await expect(store.put("a", new Blob([]))).rejects.toMatchObject({ code });
  await expect(store.get("a")).rejects.toMatchObject({ code });
});

test("a backend that throws before it promises anything is translated too", async () => {
  const fail = () => {
    throw new DOMException("no database here", "InvalidStateError");
  };
  const store = createShardStore({ get: fail, set: fail, keys: fail, delete: fail });
  await expect(store.keys()).rejects.toMatchObject({ code: "storage" });
});

test.each([
  ["nothing", undefined],
  ["another shape", { blob: new Blob([]) }],
  ["a version of the future", { version: currentVersion + 1, blob: new Blob([]), bytes: 0 }],
  ["a version that never was", { version: 0, blob: new Blob([]), bytes: 0 }],
  ["a Blob that lost its bytes", { version: currentVersion, blob: new Blob([]), bytes: 5 }],
])("a stored value that can't be read counts as not stored: %s", (_, value) => {
  expect(readStored(value)).toBeUndefined();
});
