// Connections that break anywhere, any number of times: the package still comes whole, and nothing comes twice.
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ensurePackage, type EnsureOptions } from "./ensure.ts";
import {
  startPackageServer,
  testPackage,
  weightsPath,
  type PackageServer,
} from "#testing/servers/package-server.node.ts";
import { createMemoryShardStore, type ShardStore } from "#weights/store/store.ts";

const packed = testPackage({ weightBytes: 10_000, shardBytes: 4_000 });
const weights = packed.files.get(weightsPath) ?? new Uint8Array();
const runs = { numRuns: process.env["LLAVA_LONG_TESTS"] ? 300 : 25 };
let server: PackageServer;

beforeEach(async () => {
  server = await startPackageServer(packed);
});
afterEach(() => server.stop());

function ensure(store: ShardStore, options: EnsureOptions = {}) {
  const host = { store, room: () => Promise.resolve(undefined) };
  return ensurePackage({ id: "test", baseUrl: server.baseUrl }, host, { backoffMs: () => 0, ...options });
}

/** Breaks the connection after so many bytes of each of the next answers with weights, then behaves. */
function breakAfter(cuts: readonly number[]): void {
  const left = [...cuts];
  server.asked.length = 0;
  server.misbehave = ({ path }) => {
    const afterBytes = path === weightsPath ? left.shift() : undefined;
    return afterBytes === undefined ? undefined : { kind: "cut", afterBytes };
  };
}

async function expectWeights(files: ReadonlyMap<string, Blob>): Promise<void> {
  const bytes = new Uint8Array((await files.get(weightsPath)?.arrayBuffer()) ?? []);
  expect(Buffer.from(bytes).equals(weights)).toBe(true);
}

test("each break costs one request, which starts at the first byte that is missing", async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 3_999 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(cuts, async (cuts) => {
      breakAfter(cuts);
      await expectWeights((await ensure(createMemoryShardStore())).files);
      const asked = server.asked.filter(({ path }) => path === weightsPath);
      // Where the next request has to start if nothing is lost and nothing comes twice.
      let at = 0;
      for (const [i, { start, end }] of asked.entries()) {
        expect(start).toBe(at);
        expect(end).toBe(Math.min(10_000, Math.ceil((start + 1) / 4_000) * 4_000));
        at = Math.min(end, start + (cuts[i] ?? Infinity));
      }
      expect(at).toBe(10_000);
    }),
    runs,
  );
});

test("a server without ranges is read again from its start only when a connection breaks", async () => {
  server.ranges = false;
  // The last bytes may all have arrived before the break, so it is not among them.
  const cuts = fc.array(fc.integer({ min: 1, max: 9_999 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(cuts, async (cuts) => {
      breakAfter(cuts);
      await expectWeights((await ensure(createMemoryShardStore())).files);
      expect(server.asked.filter(({ path }) => path === weightsPath)).toHaveLength(cuts.length + 1);
    }),
    runs,
  );
});

test("loading that is stopped anywhere leaves whole shards only, and the next one goes on from the last byte", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 9_999 }), async (stopAfter) => {
      const store = createMemoryShardStore();
      const partials: EnsureOptions["partials"] = new Map();
      const abort = new AbortController();
      server.asked.length = 0;
      server.misbehave = ({ path, start, end }) => {
        if (path !== weightsPath || end <= stopAfter) return undefined;
        return { kind: "hang", afterBytes: stopAfter - start };
      };
      const stopped = expect(ensure(store, { partials, signal: abort.signal })).rejects.toMatchObject({
        name: "AbortError",
      });
      // Pieces of the shard that was under way may be there as well.
      const wholeKeys = async (): Promise<string[]> => (await store.keys()).filter((key) => !key.includes("~"));
      const receivedBytes = (): number => [...partials.values()].reduce((sum, { received }) => sum + received, 0);
      const everythingArrived = async (): Promise<boolean> => {
        const shards = (await wholeKeys()).filter((key) => key.includes(weightsPath));
        return shards.length === Math.floor(stopAfter / 4_000) && receivedBytes() === stopAfter % 4_000;
      };
      await vi.waitUntil(everythingArrived, { interval: 5, timeout: 5000 });
      abort.abort();
      await stopped;
      const whole = await wholeKeys();
      for (const key of whole) {
        const index = Number(/onnx_data#(\d)/.exec(key)?.[1] ?? NaN);
        if (!Number.isNaN(index)) expect((await store.get(key))?.size).toBe(index < 2 ? 4_000 : 2_000);
      }
      expect(whole.filter((key) => key.includes(weightsPath))).toHaveLength(Math.floor(stopAfter / 4_000));
      const received = receivedBytes();
      server.misbehave = () => undefined;
      server.asked.length = 0;
      await expectWeights((await ensure(store, { partials })).files);
      const again = server.asked.filter(({ path }) => path === weightsPath);
      expect(again[0]?.start).toBe(Math.floor(stopAfter / 4_000) * 4_000 + received);
      expect(partials.size).toBe(0);
    }),
    runs,
  );
});
