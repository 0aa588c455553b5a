// Tabs that are killed in the middle of a download, again and again, on a server that misbehaves in every way it knows.
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensurePackage, type EnsureOptions } from "./ensure.ts";
import {
  randomBytes,
  startPackageServer,
  testPackage,
  weightsPath,
  type Misbehaviour,
  type PackageServer,
} from "#testing/servers/package-server.node.ts";
import { createMemoryShardStore, createShardStore, type ShardStore } from "#weights/store/store.ts";

const shardBytes = 40_000;
const weightBytes = 10 * shardBytes;
const pieceBytes = 2_000;
const kills = process.env["LLAVA_LONG_TESTS"] ? 100 : 10;
const packed = testPackage({ weightBytes, shardBytes });
const weights = packed.files.get(weightsPath) ?? new Uint8Array();
let server: PackageServer;

beforeEach(async () => {
  server = await startPackageServer(packed);
  server.etags = true;
});
afterEach(() => server.stop());

const source = (): { id: string; baseUrl: string } => ({ id: "test", baseUrl: server.baseUrl });
const unlimited = (store: ShardStore) => ({ store, room: () => Promise.resolve(undefined) });
const fast: EnsureOptions = { backoffMs: () => 0, pieceBytes };

/** What a dead tab still writes is lost. */
function tabOver(store: ShardStore) {
  const life = { alive: true };
  const tab: ShardStore = {
    get: (key) => store.get(key),
    keys: () => store.keys(),
    put: (key, blob) => (life.alive ? store.put(key, blob) : Promise.resolve()),
    delete: (keys) => (life.alive ? store.delete(keys) : Promise.resolve()),
  };
  return { life, tab };
}

/** The verified shards of the weights, by index. */
async function verifiedShards(store: ShardStore): Promise<Set<number>> {
  const indices = (await store.keys()).map((key) => /onnx_data#(\d+):[0-9a-f]{64}$/.exec(key)?.[1]);
  return new Set(indices.filter((index) => index !== undefined).map(Number));
}

async function expectWeights(files: ReadonlyMap<string, Blob>): Promise<void> {
  const bytes = new Uint8Array((await files.get(weightsPath)?.arrayBuffer()) ?? []);
  expect(Buffer.from(bytes).equals(weights)).toBe(true);
}

test(`a tab killed ${kills} times: the package comes whole, and no verified byte is fetched twice`, async () => {
  const store = createMemoryShardStore();
  const random = randomBytes(7, 10_000);
  let at = 0;
  const draw = (below: number): number => ((random[at++ % 10_000] ?? 0) * 256 + (random[at++ % 10_000] ?? 0)) % below;
  let faults = 0;
  let verifiedAgain = 0;
  let fetched = 0;
  for (let kill = 0; kill < kills; kill++) {
    const { life, tab } = tabOver(store);
    const verified = await verifiedShards(store);
    server.asked.length = 0;
    const hung = new Promise<void>((resolve) => {
      // Some faults that the tab survives, then one answer that stops in the middle, at a random byte.
      let left = draw(3);
      server.misbehave = ({ path, start, end }): Misbehaviour | undefined => {
        if (path !== weightsPath) return undefined;
        if (left-- > 0) {
          faults++;
          const kind = draw(4);
          if (kind === 0) return { kind: "status", status: 429 };
          if (kind === 1) return { kind: "status", status: 500 };
          if (kind === 2) return { kind: "cut", afterBytes: draw(end - start) };
          return { kind: "instead", bytes: randomBytes(kill, weightBytes) };
        }
        const afterBytes = draw(Math.min(end - start, (2 * weightBytes) / kills));
        // Real time: the kill may come while bytes are still on the socket, in a piece, or on their way to the store.
        setTimeout(resolve, 30);
        return { kind: "hang", afterBytes };
      };
    });
    const abort = new AbortController();
    const ended = ensurePackage(source(), unlimited(tab), { ...fast, signal: abort.signal }).then(
      () => "whole",
      () => "failed",
    );
    await Promise.race([hung, ended]);
    life.alive = false;
    abort.abort();
    await ended;
    for (const { path, start, end } of server.asked) {
      if (path !== weightsPath) continue;
      fetched++;
      for (let index = Math.floor(start / shardBytes); index * shardBytes < end; index++)
        if (verified.has(index))
          verifiedAgain += Math.min(end, (index + 1) * shardBytes) - Math.max(start, index * shardBytes);
    }
  }
  server.misbehave = () => undefined;
  const before = await verifiedShards(store);
  server.asked.length = 0;
  await expectWeights((await ensurePackage(source(), unlimited(store), fast)).files);
  const last = server.asked.filter(({ path }) => path === weightsPath);
  expect(last.filter(({ start }) => before.has(Math.floor(start / shardBytes)))).toEqual([]);
  console.log(
    `${kills} kills, ${faults} other faults, ${fetched + last.length} requests: verified bytes fetched twice: ${verifiedAgain}`,
  );
  expect(verifiedAgain).toBe(0);
  expect((await store.keys()).filter((key) => key.includes("~"))).toEqual([]);
});

/** One tab that dies after this many bytes of the weights. */
async function dieAfter(store: ShardStore, bytes: number): Promise<void> {
  const { life, tab } = tabOver(store);
  const abort = new AbortController();
  const hung = new Promise<void>((resolve) => {
    server.misbehave = ({ path, start }) => {
      if (path !== weightsPath || start + shardBytes <= bytes) return undefined;
      // Real time, in which the bytes cross a real socket and are stored in pieces; no event tells when the last one is.
      setTimeout(resolve, 50);
      return { kind: "hang", afterBytes: bytes - start };
    };
  });
  const ended = ensurePackage(source(), unlimited(tab), { ...fast, signal: abort.signal }).catch(() => undefined);
  await hung;
  life.alive = false;
  abort.abort();
  await ended;
  server.misbehave = () => undefined;
  server.asked.length = 0;
}

test("the next tab goes on within a shard, where the last piece was stored", async () => {
  const store = createMemoryShardStore();
  await dieAfter(store, 30_000);
  await expectWeights((await ensurePackage(source(), unlimited(store), fast)).files);
  const first = server.asked.find(({ path }) => path === weightsPath);
  expect(first?.start).toBeGreaterThanOrEqual(30_000 - pieceBytes);
});

test("bytes of a file that has changed on the server are given up, not mixed with the new ones", async () => {
  const store = createMemoryShardStore();
  const good = server.files;
  server.files = new Map([...good, [weightsPath, randomBytes(99, weightBytes)]]);
  await dieAfter(store, 30_000);
  server.files = good;
  await expectWeights((await ensurePackage(source(), unlimited(store), fast)).files);
  const asked = server.asked.filter(({ path }) => path === weightsPath);
  expect(asked[1]?.start).toBe(0);
  // Each shard once, and the one request that met the change.
  expect(asked).toHaveLength(11);
});

test("what is left of a dead tab goes with its package, and with the next whole one", async () => {
  const store = createMemoryShardStore();
  await dieAfter(store, 30_000);
  expect((await store.keys()).some((key) => key.includes("~"))).toBe(true);
  await ensurePackage(source(), unlimited(store), fast);
  expect((await store.keys()).some((key) => key.includes("~"))).toBe(false);
});

test("pieces make room when the storage is just large enough for the whole shards", async () => {
  const total = [...packed.files.values()].reduce((sum, { length }) => sum + length, 0);
  const values = new Map<string, { bytes: number }>();
  const used = (): number => [...values.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const tight = createShardStore({
    get: (key) => Promise.resolve(values.get(key)),
    set: (key, value) => {
      if (used() + value.bytes > total + 2 * shardBytes)
        return Promise.reject(new DOMException("full", "QuotaExceededError"));
      return Promise.resolve(void values.set(key, value));
    },
    keys: () => Promise.resolve([...values.keys()]),
    delete: (keys) => Promise.resolve(keys.forEach((key) => values.delete(key))),
  });
  expect((await ensurePackage(source(), unlimited(tight), fast)).persisted).toBe(true);
});
