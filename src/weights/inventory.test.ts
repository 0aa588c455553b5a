import { zipSync } from "fflate";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensurePackage } from "#weights/download/ensure.ts";
import { exportPackage } from "./export-package.ts";
import { importPackage, openPackage, type ImportedPackage } from "./import-package.ts";
import { listPackages, verifyPackage } from "./inventory.ts";
import { writeUseNote } from "#weights/store/records.ts";
import { packageBytes } from "./manifest.ts";
import {
  startPackageServer,
  testPackage,
  weightsPath,
  withManifest,
  type PackageServer,
} from "#testing/servers/package-server.node.ts";
import { createMemoryShardStore, createShardStore, type ShardStore } from "#weights/store/store.ts";

const packed = testPackage();
const id = packed.manifest.model.id;
const total = packageBytes(packed.manifest);
let server: PackageServer;
let store: ShardStore;

beforeEach(async () => {
  server = await startPackageServer(packed);
  store = createMemoryShardStore();
});
afterEach(() => server.stop());

const fetchPackage = (as = id, into = store) =>
  ensurePackage({ id: as, baseUrl: server.baseUrl }, { store: into, room: () => Promise.resolve(undefined) });

/** The package's files as someone picks them from a folder. */
const folderOf = (files: ReadonlyMap<string, Uint8Array>, folder = ""): Map<string, Blob> =>
  new Map([...files].map(([path, bytes]) => [`${folder}${path}`, new Blob([new Uint8Array(bytes)])]));

async function take(given: Blob | ReadonlyMap<string, Blob>, into = store): Promise<ImportedPackage | "none"> {
  const opened = await openPackage(given);
  return opened ? importPackage(into, opened) : "none";
}

async function exported(from = store): Promise<Blob> {
  const zip = await exportPackage(from, id);
  if (typeof zip === "string") throw new Error(zip);
  return zip;
}

async function contentOf(from: ShardStore): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for (const key of [...(await from.keys())].sort())
    content.set(
      key,
      Buffer.from((await (await from.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0)).toString("base64"),
    );
  return content;
}

const shardOf = async (index: number): Promise<string> => {
  const key = (await store.keys()).find((candidate) => candidate.includes(`${weightsPath}#${index}:`));
  if (key === undefined) throw new Error("no such shard");
  return key;
};

test("nothing stored is an empty list", async () => {
  expect(await listPackages(store)).toEqual([]);
});

test("the list tells name, licence, sizes, last use and where it came from", async () => {
  await fetchPackage();
  await writeUseNote(store, id, { usedAt: 1234, baseUrl: server.baseUrl });
  const [info, ...others] = await listPackages(store);
  expect(others).toEqual([]);
  expect(info).toMatchObject({
    id,
    name: "Test model",
    license: "Apache-2.0",
    totalBytes: total,
    complete: true,
    usedAt: 1234,
    baseUrl: server.baseUrl,
  });
  expect(info?.storedBytes).toBeGreaterThan(total);
});

test("packages do not count each other's shards, whatever their ids look like", async () => {
  await fetchPackage("https://a.example/m/");
  await fetchPackage("https://a.example/");
  await fetchPackage("m~1");
  const infos = await listPackages(store);
  expect(infos.map((info) => info.id)).toEqual(["https://a.example/", "https://a.example/m/", "m~1"]);
  expect(new Set(infos.map(({ storedBytes }) => storedBytes)).size).toBe(1);
});

test("one without a shard, or without its manifest, is not complete", async () => {
  await fetchPackage();
  await store.delete([await shardOf(1)]);
  expect(await listPackages(store)).toMatchObject([{ complete: false, totalBytes: total, name: "Test model" }]);
  await store.delete((await store.keys()).filter((key) => key.endsWith("manifest.json")));
  expect(await listPackages(store)).toMatchObject([{ complete: false, totalBytes: undefined, name: "" }]);
});

test("verifying a package reads all of it and finds nothing wrong", async () => {
  await fetchPackage();
  const seen: number[] = [];
  const before = await contentOf(store);
  expect(await verifyPackage(store, id, (loaded) => void seen.push(loaded))).toEqual({ damaged: 0, missing: 0 });
  expect(seen.at(-1)).toBe(total);
  expect(await contentOf(store)).toEqual(before);
});

test("verifying deletes only the shard whose bytes are wrong, and the next load fetches only that", async () => {
  await fetchPackage();
  const before = await contentOf(store);
  const key = await shardOf(1);
  const bytes = new Uint8Array((await (await store.get(key))?.arrayBuffer()) ?? new ArrayBuffer(0));
  bytes[17] = (bytes[17] ?? 0) ^ 1;
  await store.put(key, new Blob([bytes]));
  expect(await verifyPackage(store, id)).toEqual({ damaged: 1, missing: 0 });
  const left = await contentOf(store);
  expect([...before.keys()].filter((kept) => !left.has(kept))).toEqual([key]);
  expect(await verifyPackage(store, id)).toEqual({ damaged: 0, missing: 1 });
  server.asked.length = 0;
  await fetchPackage();
  expect(server.asked.map(({ path, start, end }) => [path, start, end]).slice(1)).toEqual([[weightsPath, 4000, 8000]]);
  expect(await contentOf(store)).toEqual(before);
});

test("a shard that was cut short in storage counts as damaged", async () => {
  await fetchPackage();
  await store.put(await shardOf(0), new Blob(["short"]));
  expect(await verifyPackage(store, id)).toEqual({ damaged: 1, missing: 0 });
});

test("a package that is saved and imported elsewhere is the same, byte for byte, and whole", async () => {
  await fetchPackage();
  const elsewhere = createMemoryShardStore();
  expect(await take(await exported(), elsewhere)).toEqual({ ok: true, id, name: "Test model" });
  expect(await listPackages(elsewhere)).toMatchObject([{ id, complete: true, baseUrl: "", usedAt: undefined }]);
  const notes = (content: Map<string, string>) => [...content].filter(([key]) => !key.endsWith(".used"));
  expect(notes(await contentOf(elsewhere))).toEqual(notes(await contentOf(store)));
  expect(Buffer.from(await (await exported(elsewhere)).arrayBuffer())).toEqual(
    Buffer.from(await (await exported()).arrayBuffer()),
  );
  // It runs without its server.
  const loaded = await ensurePackage({ id, baseUrl: "" }, { store: elsewhere, room: () => Promise.resolve(0) });
  expect(Buffer.from((await loaded.files.get(weightsPath)?.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(
    Buffer.from(packed.files.get(weightsPath) ?? new Uint8Array(0)),
  );
});

test("a package that is not whole is not saved", async () => {
  expect(await exportPackage(store, id)).toBe("incomplete");
  await fetchPackage();
  await store.delete([await shardOf(2)]);
  expect(await exportPackage(store, id)).toBe("incomplete");
});

test("a zip that another tool packed, with its folder, is imported", async () => {
  const files = [...withManifest(packed)].map(([path, bytes]) => [`my model/${path}`, new Uint8Array(bytes)] as const);
  const zip = zipSync({ ...Object.fromEntries(files), "my model/.DS_Store": new Uint8Array(9) }, { level: 6 });
  expect(await take(new Blob([new Uint8Array(zip)]))).toMatchObject({ ok: true });
  expect(await verifyPackage(store, id)).toEqual({ damaged: 0, missing: 0 });
});

test("the files of a folder are imported, and other files beside them are left out", async () => {
  const files = folderOf(withManifest(packed), "folder/");
  files.set("folder/notes.txt", new Blob(["mine"]));
  expect(await take(files)).toMatchObject({ ok: true });
  expect((await store.keys()).some((key) => key.includes("notes"))).toBe(false);
});

test("what is no package stores nothing", async () => {
  const manifest = new Blob(["{}"]);
  for (const given of [
    new Blob(["no zip"]),
    new Map([["a.txt", manifest]]),
    new Map([["manifest.json", manifest]]),
    new Map([["manifest.json", new Blob(["not JSON"])]]),
    new Blob([new Uint8Array(zipSync({ "manifest.json": new Uint8Array(5) }))]),
  ])
    expect(await take(given)).toBe("none");
  expect(await store.keys()).toEqual([]);
});

test("an incomplete package stores nothing, and says which file is missing", async () => {
  const files = folderOf(withManifest(packed));
  files.delete(weightsPath);
  expect(await take(files)).toEqual({ ok: false, problem: "incomplete", path: weightsPath });
  expect(await store.keys()).toEqual([]);
});

test.each([
  ["a wrong byte", (bytes: Uint8Array) => bytes.map((byte, at) => (at === 9_000 ? byte ^ 1 : byte))],
  ["a byte too few", (bytes: Uint8Array) => bytes.slice(1)],
  ["a byte too many", (bytes: Uint8Array) => Uint8Array.from([...bytes, 0])],
])("a damaged package, by %s, stores nothing", async (_, damage) => {
  const files = new Map(withManifest(packed));
  files.set(weightsPath, damage(packed.files.get(weightsPath) ?? new Uint8Array()));
  expect(await take(folderOf(files))).toEqual({ ok: false, problem: "damaged", path: weightsPath });
  expect(await store.keys()).toEqual([]);
});

test("a damaged import leaves the package alone that is here", async () => {
  await fetchPackage();
  const before = await contentOf(store);
  const files = new Map(withManifest(packed));
  files.set(weightsPath, new Uint8Array(10_000));
  expect(await take(folderOf(files))).toMatchObject({ problem: "damaged" });
  expect(await contentOf(store)).toEqual(before);
});

test("an import of another version replaces the one that is here", async () => {
  await fetchPackage();
  const other = testPackage({ seed: 5 });
  expect(await take(folderOf(withManifest(other)))).toMatchObject({ ok: true });
  const keys = await store.keys();
  expect(keys).toHaveLength(other.manifest.files.flatMap(({ shards }) => shards).length + 2);
  expect(await verifyPackage(store, id)).toEqual({ damaged: 0, missing: 0 });
});

test("an import that finds no room says so and leaves nothing", async () => {
  const values = new Map<string, unknown>();
  let left = 4;
  const full = createShardStore({
    get: (key) => Promise.resolve(values.get(key)),
    set: (key, value) =>
      left-- > 0
        ? Promise.resolve(void values.set(key, value))
        : Promise.reject(new DOMException("full", "QuotaExceededError")),
    keys: () => Promise.resolve([...values.keys()]),
    delete: (keys) => Promise.resolve(keys.forEach((key) => values.delete(key))),
  });
  await expect(take(folderOf(withManifest(packed)), full)).rejects.toMatchObject({ code: "quota" });
  expect(values.size).toBe(0);
});

test("keys that nobody here wrote are skipped, and records that can't be read hide none of the others", async () => {
  const values = new Map<string, unknown>();
  let broken = new Set<string>();
  const host = createShardStore({
    get: (key) =>
      broken.has(key)
        ? Promise.reject(new DOMException("no file behind it", "DataError"))
        : Promise.resolve(values.get(key)),
    set: (key, value) => Promise.resolve(void values.set(key, value)),
    keys: () => Promise.resolve([...values.keys()]),
    delete: (keys) => Promise.resolve(keys.forEach((key) => values.delete(key))),
  });
  await fetchPackage(id, host);
  await fetchPackage("second model", host);
  const whole = await listPackages(host);
  expect(whole.map((model) => model.id)).toEqual(["second model", id]);

  const foreign = [
    "%E0%A4%A/manifest.json",
    "theme",
    "",
    "/",
    "/manifest.json",
    "a/b",
    "app/settings",
    "%/x",
    "a b/manifest.json",
  ];
  for (const key of foreign) values.set(key, { anything: true });
  values.set("other/.used", "not a record");
  expect((await listPackages(host)).filter((model) => model.id !== "other")).toEqual(whole);

  const keysOf = (part: string): string[] => [...values.keys()].filter((key) => key.includes(part));
  broken = new Set([
    ...keysOf("second%20model/manifest"),
    ...keysOf("second%20model/.used"),
    ...keysOf(`${id}/config`),
  ]);
  const left = await listPackages(host);
  expect(left.find((model) => model.id === id)).toMatchObject({ name: "Test model", complete: true });
  expect(left.find((model) => model.id === "second model")).toMatchObject({ name: "", complete: false });
  expect(await verifyPackage(host, id)).toEqual({ damaged: 1, missing: 0 });
  broken = new Set([...broken].filter((key) => values.has(key)));
  // What can't be read is fetched again, alone.
  server.asked.length = 0;
  await fetchPackage(id, host);
  expect(server.asked.map(({ path }) => path)).toEqual(["manifest.json", "config.json"]);
});
