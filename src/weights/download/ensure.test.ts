import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EngineError } from "#engine/errors.ts";
import { ensurePackage, type EnsureOptions } from "./ensure.ts";
import { isPackageStored, removePackage } from "#weights/store/stored-package.ts";
import type { EnsureProgress } from "./progress.ts";
import { shardsOf, startPackageServer, testPackage } from "#testing/servers/package-server.node.ts";
import { createMemoryShardStore, createShardStore, type ShardStore } from "#weights/store/store.ts";
import { startTestServer, type TestServer } from "#testing/servers/http-server.node.ts";

const shardBytes = 10_000;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A package whose files are made of `seed`; the graphs are no graphs, nobody runs them here. */
function makePackage(seed: number) {
  const sizes = { "onnx/v.onnx": 500, "onnx/v.onnx_data": 25_000, "onnx/e.onnx": 500, "onnx/d.onnx": 12_000 };
  const files = new Map(
    Object.entries(sizes).map(([path, bytes], f) => [
      path,
      Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + f * 13 + seed * 29 + (i >> 8)) % 256),
    ]),
  );
  const graph = (name: string, data: string[]) => ({ path: `onnx/${name}.onnx`, data, bits: 4 });
  const manifest = {
    version: 1,
    model: {
      id: "tiny",
      name: "Tiny",
      license: "Apache-2.0",
      architecture: "llava",
      template: "vicuna_v1",
      imageAspect: "pad",
      imageTokens: 4,
      contextLength: 64,
    },
    graphs: { vision: graph("v", ["onnx/v.onnx_data"]), embed: graph("e", []), decoder: graph("d", []) },
    files: [...files].map(([path, bytes]) => ({
      path,
      bytes: bytes.length,
      shards: Array.from({ length: Math.ceil(bytes.length / shardBytes) }, (_, i) => {
        const shard = bytes.subarray(i * shardBytes, (i + 1) * shardBytes);
        return { offset: i * shardBytes, bytes: shard.length, sha256: sha256(shard) };
      }),
    })),
  };
  return { files, manifest };
}

const total = 38_000;
const shardCount = 7;
let served = makePackage(1);
let requests: string[] = [];
let answer: ((path: string, request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
let source = { id: "tiny", baseUrl: "" };
let server: TestServer;

beforeEach(async () => {
  served = makePackage(1);
  requests = [];
  answer = undefined;
  server = await startTestServer((request, response) => {
    const path = (request.url ?? "").slice("/models/tiny/".length);
    requests.push(path);
    if (answer?.(path, request, response) === true) return;
    if (path === "manifest.json") return void response.end(JSON.stringify(served.manifest));
    const bytes = served.files.get(path);
    if (!bytes) return void response.writeHead(404).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (!range) return void response.end(bytes);
    const [start, end] = [Number(range[1]), Number(range[2]) + 1];
    response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` });
    response.end(bytes.subarray(start, end));
  });
  source = { id: "tiny", baseUrl: `${server.origin}/models/tiny/` };
});
afterEach(() => server.stop());

function hostOf(store: ShardStore, room = Infinity) {
  const asked: string[] = [];
  return {
    store,
    asked,
    room: () => Promise.resolve(asked.push("room") && room),
  };
}

const ensure = (store: ShardStore, options: EnsureOptions = {}) =>
  ensurePackage(source, hostOf(store), { backoffMs: () => 1, ...options });

async function expectFiles(files: ReadonlyMap<string, Blob>): Promise<void> {
  expect([...files.keys()]).toEqual([...served.files.keys()]);
  for (const [path, blob] of files) {
    expect(sha256(new Uint8Array(await blob.arrayBuffer()))).toBe(sha256(served.files.get(path) ?? new Uint8Array()));
  }
}

/** The key of the nth stored shard, and what is stored there made wrong without changing its size. */
async function corrupt(store: ShardStore, path: string): Promise<void> {
  const key = (await store.keys()).find((candidate) => candidate.includes(`${path}#0`)) ?? "";
  const blob = await store.get(key);
  if (!blob) throw new Error(`${path} is not stored`);
  await store.put(key, new Blob([new Uint8Array(blob.size)]));
}

test("a package that is not here is fetched, verified and stored whole", async () => {
  const store = createMemoryShardStore();
  const result = await ensure(store);
  expect(result.persisted).toBe(true);
  await expectFiles(result.files);
  expect(await store.keys()).toHaveLength(shardCount + 1);
  expect(await isPackageStored(source.id, store)).toBe(true);
});

test("a package that is here costs one request, for the manifest", async () => {
  const store = createMemoryShardStore();
  await ensure(store);
  requests = [];
  const progress: EnsureProgress[] = [];
  await expectFiles((await ensure(store, { onProgress: (event) => void progress.push(event) })).files);
  expect(requests).toEqual(["manifest.json"]);
  expect(progress.at(-1)).toEqual({ loaded: total, total, stored: total });
});

test("a package that is here needs no server at all", async () => {
  const store = createMemoryShardStore();
  await ensure(store);
  answer = (_, __, response) => {
    response.destroy();
    return true;
  };
  await expectFiles((await ensure(store)).files);
});

test("progress grows to the package's size and ends there", async () => {
  const progress: EnsureProgress[] = [];
  await ensure(createMemoryShardStore(), { onProgress: (event) => void progress.push(event) });
  expect(progress[0]).toEqual({ loaded: 0, total, stored: 0 });
  expect(progress.at(-1)).toEqual({ loaded: total, total, stored: 0 });
  const loaded = progress.map((event) => event.loaded);
  expect(loaded).toEqual(loaded.toSorted((a, b) => a - b));
});

test("a stored shard that was damaged is fetched again, alone", async () => {
  const store = createMemoryShardStore();
  await ensure(store);
  await corrupt(store, "onnx/v.onnx_data");
  requests = [];
  await expectFiles((await ensure(store)).files);
  expect(requests).toEqual(["manifest.json", "onnx/v.onnx_data"]);
  requests = [];
  await ensure(store);
  expect(requests).toEqual(["manifest.json"]);
});

test("a stored Blob that can't be read any more is fetched again", async () => {
  const store = createMemoryShardStore();
  await ensure(store);
  const unreadable: ShardStore = {
    ...store,
    get: async (key) => {
      const blob = await store.get(key);
      if (blob && key.includes("v.onnx_data#1")) {
        blob.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
      }
      return blob;
    },
  };
  requests = [];
  await ensure(unreadable);
  expect(requests).toEqual(["manifest.json", "onnx/v.onnx_data"]);
});

test("wrong bytes on the way are fetched once more", async () => {
  let bad = 1;
  answer = (path, _, response) => {
    if (path !== "onnx/e.onnx" || bad-- <= 0) return false;
    response.end(new Uint8Array(500));
    return true;
  };
  await expectFiles((await ensure(createMemoryShardStore())).files);
  expect(requests.filter((path) => path === "onnx/e.onnx")).toHaveLength(2);
});

test("wrong bytes on the server are an integrity failure that names the file, and nothing wrong is stored", async () => {
  answer = (path, _, response) => {
    if (path !== "onnx/e.onnx") return false;
    response.end(new Uint8Array(500));
    return true;
  };
  const store = createMemoryShardStore();
  const failure: unknown = await ensure(store).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "integrity" });
  expect(String(failure)).toContain("onnx/e.onnx");
  expect((await store.keys()).some((key) => key.includes("onnx/e.onnx"))).toBe(false);
  expect(await isPackageStored(source.id, store)).toBe(false);
});

test("after a download that failed half-way only the rest is fetched", async () => {
  const store = createMemoryShardStore();
  let down = true;
  answer = (path, _, response) => {
    if (path !== "onnx/d.onnx" || !down) return false;
    response.writeHead(503).end();
    return true;
  };
  // One at a time: else the failure ends what else is under way.
  await expect(ensure(store, { retries: 1, parallel: 1 })).rejects.toMatchObject({ code: "http" });
  down = false;
  requests = [];
  await expectFiles((await ensure(store)).files);
  expect(requests).toEqual(["manifest.json", "onnx/d.onnx", "onnx/d.onnx"]);
});

test("a shard that was half there when loading was stopped is not fetched from its start", async () => {
  const abort = new AbortController();
  const partials: EnsureOptions["partials"] = new Map();
  answer = (path, _, response) => {
    if (path !== "onnx/v.onnx_data") return false;
    response.writeHead(206, { "content-length": shardBytes, "content-range": "bytes 0-9999/25000" });
    response.write(served.files.get(path)?.subarray(0, 4000));
    return true;
  };
  const store = createMemoryShardStore();
  const stopped = expect(ensure(store, { partials, signal: abort.signal })).rejects.toMatchObject({
    name: "AbortError",
  });
  await vi.waitUntil(() => [...partials.values()].some(({ received }) => received === 4000), { interval: 5 });
  abort.abort();
  await stopped;
  const ranges: (string | undefined)[] = [];
  answer = (path, request) => {
    if (path === "onnx/v.onnx_data") ranges.push(request.headers.range);
    return false;
  };
  await expectFiles((await ensure(store, { partials })).files);
  expect(ranges[0]).toBe("bytes=4000-9999");
});

test("when the package on the server changes, what is new is fetched and what is old goes", async () => {
  const store = createMemoryShardStore();
  await ensure(store);
  await store.put("other/x#0:1", new Blob(["not ours"]));
  served = makePackage(2);
  await expectFiles((await ensure(store)).files);
  const keys = await store.keys();
  expect(keys).toHaveLength(shardCount + 2);
  expect(keys).toContain("other/x#0:1");
});

test("with too little room the package is kept in memory, and says so", async () => {
  const store = createMemoryShardStore();
  const result = await ensurePackage(source, hostOf(store, total - 1));
  expect(result.persisted).toBe(false);
  await expectFiles(result.files);
  expect(await store.keys()).toEqual([]);
});

test("an older version of the package makes room for the new one", async () => {
  const store = createMemoryShardStore();
  await ensure(store);
  served = makePackage(2);
  const host = { ...hostOf(store), room: async () => ((await store.keys()).length > 1 ? 0 : total) };
  const result = await ensurePackage(source, host);
  expect(result.persisted).toBe(true);
  await expectFiles(result.files);
});

test.each([
  ["quota", 3],
  ["storage", 0],
] as const)("a store that fails with %s while it is filled leaves a package in memory", async (code, failAfter) => {
  const store = createMemoryShardStore();
  let puts = 0;
  const failing: ShardStore = {
    ...store,
    put: (key, blob) => (puts++ < failAfter ? store.put(key, blob) : Promise.reject(new EngineError(code, "full"))),
  };
  const result = await ensure(failing);
  expect(result.persisted).toBe(false);
  await expectFiles(result.files);
  expect(puts).toBe(failAfter + 1);
  expect(await isPackageStored(source.id, store)).toBe(false);
});

test("a browser that blocks storage altogether still gets its package", async () => {
  const blocked = () => Promise.reject(new DOMException("blocked", "SecurityError"));
  const store = createShardStore({ get: blocked, set: blocked, keys: blocked, delete: blocked });
  const result = await ensure(store);
  expect(result.persisted).toBe(false);
  await expectFiles(result.files);
  expect(await isPackageStored(source.id, store)).toBe(false);
});

test("how much room there is is asked before the first byte, and only when something is missing", async () => {
  const store = createMemoryShardStore();
  const first = hostOf(store);
  let askedAtFirstByte: string[] | undefined;
  answer = (path) => {
    if (path !== "manifest.json") askedAtFirstByte ??= [...first.asked];
    return false;
  };
  await ensurePackage(source, first);
  expect(askedAtFirstByte).toEqual(["room"]);
  const second = hostOf(store);
  await ensurePackage(source, second);
  expect(second.asked).toEqual([]);
});

test.each([
  ["a page instead of the manifest", (response: ServerResponse) => response.end("<!doctype html>"), "bad-package"],
  ["a manifest of another version", (response: ServerResponse) => response.end('{"version":9}'), "bad-package"],
  ["no manifest", (response: ServerResponse) => response.writeHead(404).end(), "http"],
  ["no server", (response: ServerResponse) => response.destroy(), "network"],
])("%s is told by its code", async (_, reply, code) => {
  answer = (_path, _request, response) => {
    reply(response);
    return true;
  };
  await expect(ensure(createMemoryShardStore())).rejects.toMatchObject({ code });
});

/** Serves the manifest of another version of the package for the first `times` requests, as an old cache would. */
function serveOldManifest(old: string, times: number): { readonly asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  answer = (path, request, response) => {
    if (path !== "manifest.json") return false;
    asked.push(request.headers["cache-control"]);
    if (asked.length > times) return false;
    response.end(old);
    return true;
  };
  return { asked };
}

/** The manifest as if its last file had had other bytes. */
const oldManifest = (): string => {
  const text = JSON.stringify(served.manifest);
  const hash = /"sha256":"([0-9a-f]{64})"(?!.*"sha256")/.exec(text)?.[1] ?? "";
  return text.replace(hash, "0".repeat(64));
};

test("files that do not fit an old manifest are fetched by a fresh one, asked for past all caches", async () => {
  const { asked } = serveOldManifest(oldManifest(), 1);
  const store = createMemoryShardStore();
  const result = await ensure(store);
  await expectFiles(result.files);
  expect(result.manifest).toEqual(served.manifest);
  expect(asked).toHaveLength(2);
  expect(asked[1]).toBe("no-cache");
  expect(await isPackageStored(source.id, store)).toBe(true);
});

test("files that do not fit the fresh manifest either stay refused, without another round", async () => {
  const { asked } = serveOldManifest(oldManifest(), Infinity);
  await expect(ensure(createMemoryShardStore())).rejects.toMatchObject({ code: "integrity" });
  expect(asked).toHaveLength(2);
});

test("without a network an old manifest from a cache does not hide the package that is here", async () => {
  const store = createMemoryShardStore();
  await ensure(store);
  const old = oldManifest();
  answer = (path, _request, response) => {
    if (path === "manifest.json") response.end(old);
    else response.destroy();
    return true;
  };
  const result = await ensure(store, { retries: 0 });
  expect(result.manifest).toEqual(served.manifest);
  await expectFiles(result.files);
});

test("a removed package leaves nothing, and others alone", async () => {
  const store = createMemoryShardStore();
  await ensure(store);
  await store.put("tiny2/x#0:1", new Blob(["not ours"]));
  await removePackage("tiny", store);
  expect(await store.keys()).toEqual(["tiny2/x#0:1"]);
});

/** A package with files that no graph needs, stored whole. */
async function storedWithExtras() {
  const packed = testPackage();
  const extras = new Map([
    ["README.md", "# A model"],
    ["chat_template.jinja", "{{ messages }}"],
    ["processor_config.json", "{}"],
    ["tokenizer_config.json", "{}"],
  ]);
  const files = new Map([
    ...packed.files,
    ...[...extras].map(([path, text]) => [path, new TextEncoder().encode(text)] as const),
  ]);
  const listed = [...files].map(([path, bytes]) => ({ path, bytes: bytes.length, shards: shardsOf(bytes, 4_000) }));
  const server = await startPackageServer({ manifest: { ...packed.manifest, files: listed }, files });
  const store = createMemoryShardStore();
  const fetchIt = () =>
    ensurePackage(
      { id: "extra", baseUrl: server.baseUrl },
      { store, room: () => Promise.resolve(undefined) },
      { backoffMs: () => 1 },
    );
  await fetchIt();
  server.asked.length = 0;
  /** Other bytes of the same length under the file's key. */
  const damage = async (path: string): Promise<void> => {
    for (const key of (await store.keys()).filter((one) => one.startsWith(`extra/${path}#`)))
      await store.put(key, new Blob([new Uint8Array((await store.get(key))?.size ?? 0)]));
  };
  return { files, server, store, fetchIt, damage };
}

test("every file of a stored package is checked at load, and a damaged one is fetched again alone", async () => {
  const { files, server, fetchIt, damage } = await storedWithExtras();
  for (const path of files.keys()) {
    await damage(path);
    server.asked.length = 0;
    const { files: now, leftOut } = await fetchIt();
    expect(new Set(server.asked.map((asked) => asked.path))).toEqual(new Set(["manifest.json", path]));
    expect(leftOut).toEqual([]);
    expect(new Uint8Array((await now.get(path)?.arrayBuffer()) ?? [])).toEqual(files.get(path));
  }
  await server.stop();
});

test("without a server a damaged file that no answer needs is left out and told, and one that is needed is a failure", async () => {
  const { files, server, store, fetchIt, damage } = await storedWithExtras();
  await server.stop();
  await damage("README.md");
  await damage("chat_template.jinja");
  const { files: now, leftOut, persisted } = await fetchIt();
  expect([leftOut, persisted, now.size]).toEqual([["README.md", "chat_template.jinja"], true, files.size - 2]);
  expect(await isPackageStored("extra", store)).toBe(true);
  await damage("tokenizer_config.json");
  await expect(fetchIt()).rejects.toMatchObject({ code: "network" });
});

test("a package that came from a file goes on without a damaged file that no answer needs", async () => {
  const { server, store, damage } = await storedWithExtras();
  await server.stop();
  await damage("README.md");
  const fromFile = () =>
    ensurePackage({ id: "extra", baseUrl: "" }, { store, room: () => Promise.resolve(undefined) }, {});
  expect((await fromFile()).leftOut).toEqual(["README.md"]);
  await damage("config.json");
  await expect(fromFile()).rejects.toMatchObject({ code: "bad-package" });
});
