import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  startPackageServer,
  testPackage,
  weightsPath,
  withManifest,
  type PackageServer,
} from "#testing/servers/package-server.node.ts";
import { createMemoryShardStore } from "#weights/store/store.ts";
import { createWeightsHost } from "./weights-host.ts";
import { createPackagesHost } from "./weights-packages.ts";

const packed = testPackage();
const id = packed.manifest.model.id;
let server: PackageServer;

beforeEach(async () => {
  server = await startPackageServer(packed);
  vi.stubGlobal("navigator", { locks: createLocks() });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server.stop();
});

type Work = (lock: object | null) => Promise<unknown>;

/** Locks by name as a browser grants them; Node has none. */
function createLocks() {
  const held = new Map<string, Promise<unknown>>();
  return {
    async request(name: string, options: { signal?: AbortSignal; ifAvailable?: boolean }, work: Work) {
      if (options.ifAvailable === true && held.has(name)) return work(null);
      while (held.has(name)) await held.get(name);
      options.signal?.throwIfAborted();
      const turn = work({ name });
      held.set(
        name,
        turn.then(
          () => held.delete(name),
          () => held.delete(name),
        ),
      );
      return turn;
    },
  };
}

function hosts() {
  const store = createMemoryShardStore();
  const forgotten: string[] = [];
  const features = { forget: (of: string) => Promise.resolve(void forgotten.push(of)) };
  const facts = { memoryBytes: 8e9, roomBytes: 1000 };
  return {
    store,
    forgotten,
    weights: createWeightsHost({ store, room: () => Promise.resolve(undefined) }),
    packages: createPackagesHost({ store, facts: () => Promise.resolve(facts), features }),
  };
}

const ignore = (): void => undefined;
const folder = new Map([...withManifest(packed)].map(([path, bytes]) => [path, new Blob([new Uint8Array(bytes)])]));

test("a package that is being downloaded is neither verified, deleted nor overwritten; another one can be", async () => {
  const { weights, packages } = hosts();
  const hanging = new Promise<void>((resolve) => {
    server.misbehave = ({ path }) => {
      if (path !== weightsPath) return undefined;
      setTimeout(resolve, 30);
      return { kind: "hang", afterBytes: 100 };
    };
  });
  const download = weights.ensure({ id, baseUrl: server.baseUrl }, ignore).catch(() => "stopped");
  await hanging;
  expect(await packages.verify(id, ignore)).toBe("in-use");
  expect(await packages.forget(id)).toBe("in-use");
  expect(await packages.importPackage(folder)).toBe("in-use");
  expect(await packages.forget("another")).toBe("done");
  await weights.stop();
  expect(await download).toBe("stopped");
  expect(await packages.forget(id)).toBe("done");
  expect(await packages.list()).toEqual([]);
});

test("a load notes when it was, and a deleted package leaves no note and no features of pictures", async () => {
  const { weights, packages, store, forgotten } = hosts();
  const from = Date.now();
  await weights.ensure({ id, baseUrl: server.baseUrl }, ignore);
  const [info] = await packages.list();
  expect(info).toMatchObject({ id, complete: true, baseUrl: server.baseUrl });
  expect(info?.usedAt).toBeGreaterThanOrEqual(from);
  expect(await packages.forget(id)).toBe("done");
  expect(await store.keys()).toEqual([]);
  expect(forgotten).toEqual([id]);
});

test("an imported package loads without any server", async () => {
  const { weights, packages } = hosts();
  expect(await packages.importPackage(folder)).toMatchObject({ ok: true, id });
  const stored = await weights.ensure({ id, baseUrl: "" }, ignore);
  expect(stored.persisted).toBe(true);
  expect(server.asked).toEqual([]);
});

test("what is no package is told as that", async () => {
  expect(await hosts().packages.importPackage(new Blob(["hello"]))).toMatchObject({
    ok: false,
    problem: "not-a-package",
  });
});

test("a look at a package tells size, licence and whether it fits, and fetches nothing but its manifest", async () => {
  const offer = await hosts().packages.preview(server.baseUrl);
  const bytes = [...packed.files.values()].reduce((sum, { length }) => sum + length, 0);
  expect(offer).toEqual({
    id: server.baseUrl,
    architecture: "llava",
    tokensPerSecond: undefined,
    name: "Test model",
    license: "Apache-2.0",
    bytes,
    fit: { verdict: "tight", reasons: ["no-room"] },
  });
  expect(server.asked.map(({ path }) => path)).toEqual(["manifest.json"]);
});

test("an address without a package says what is wrong there", async () => {
  await expect(hosts().packages.preview(`${server.baseUrl}nothing/`)).rejects.toMatchObject({ code: "http" });
  server.files = new Map([["manifest.json", new TextEncoder().encode("<html>")]]);
  await expect(hosts().packages.preview(server.baseUrl)).rejects.toMatchObject({ code: "bad-package" });
  await server.stop();
  await expect(hosts().packages.preview(server.baseUrl)).rejects.toMatchObject({ code: "network" });
});
