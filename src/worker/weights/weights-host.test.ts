import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  startPackageServer,
  testPackage,
  weightsPath,
  type PackageServer,
} from "#testing/servers/package-server.node.ts";
import { createMemoryShardStore } from "#weights/store/store.ts";
import type { LoadEvent, PackageSource } from "#worker/api.ts";
import { removePackage } from "#weights/store/stored-package.ts";
import { createWeightsHost } from "./weights-host.ts";

const packed = testPackage();
let server: PackageServer;
let model: PackageSource;

beforeEach(async () => {
  server = await startPackageServer(packed);
  model = { id: "test/model", baseUrl: server.baseUrl };
  vi.stubGlobal("navigator", {});
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server.stop();
});

function hostWith(store = createMemoryShardStore()) {
  return createWeightsHost({ store, room: () => Promise.resolve(undefined) });
}

const ignore = (): void => undefined;

/** Lets the weights hang after some bytes; resolves when they have been asked for so often. */
function hangWeights(afterBytes: number, times = 1): Promise<void> {
  let asked = 0;
  return new Promise((resolve) => {
    server.misbehave = ({ path }) => {
      if (path !== weightsPath || asked >= times) return undefined;
      asked++;
      // Not before the bytes are on their way to the client.
      setTimeout(resolve, 50);
      return { kind: "hang", afterBytes };
    };
  });
}

/** One lock at a time, as the browser gives them between tabs. */
function stubLocks() {
  const names: string[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const request = async (name: string, { signal }: { signal: AbortSignal }, work: () => Promise<unknown>) => {
    names.push(name);
    const before = last;
    const turn = (async () => {
      await before.catch(ignore);
      signal.throwIfAborted();
      return work();
    })();
    last = turn;
    return turn;
  };
  vi.stubGlobal("navigator", { locks: { request } });
  return names;
}

test("a package is brought here whole, with its progress on the way", async () => {
  const host = hostWith();
  const events: LoadEvent[] = [];
  expect(await host.isComplete(model)).toBe(false);
  const stored = await host.ensure(model, (event) => void events.push(event));
  expect(stored.persisted).toBe(true);
  expect(stored.manifest).toEqual(packed.manifest);
  expect(new Uint8Array((await stored.files.get(weightsPath)?.arrayBuffer()) ?? [])).toEqual(
    packed.files.get(weightsPath),
  );
  const total = [...packed.files.values()].reduce((sum, { length }) => sum + length, 0);
  expect(events.at(-1)).toEqual({ type: "download", loaded: total, total, stored: 0 });
  expect(await host.isComplete(model)).toBe(true);
});

test("a Stop ends what is running as an abort, and what had arrived is not fetched again", async () => {
  const host = hostWith();
  const hanging = hangWeights(1500);
  const first = host.ensure(model, ignore);
  const ended = expect(first).rejects.toMatchObject({ name: "AbortError" });
  await hanging;
  await host.stop();
  await ended;
  expect(await host.isComplete(model)).toBe(false);
  server.asked.length = 0;
  await host.ensure(model, ignore);
  // The four small files were stored before; the weights go on at the first byte that is missing.
  expect(server.asked.map(({ path, start }) => [path, start])).toEqual([
    ["manifest.json", 0],
    [weightsPath, 1500],
    [weightsPath, 4000],
    [weightsPath, 8000],
  ]);
});

test("a Stop while nothing runs is no mistake", async () => {
  const host = hostWith();
  await host.stop();
  await expect(host.ensure(model, ignore)).resolves.toMatchObject({ persisted: true });
  await host.stop();
});

test("a second load ends the first and gets the package itself", async () => {
  const host = hostWith();
  const hanging = hangWeights(100);
  const first = expect(host.ensure(model, ignore)).rejects.toMatchObject({ name: "AbortError" });
  await hanging;
  const second = await host.ensure(model, ignore);
  await first;
  expect(new Uint8Array((await second.files.get(weightsPath)?.arrayBuffer()) ?? [])).toEqual(
    packed.files.get(weightsPath),
  );
});

test("a Stop after a second load ends the second, not only the first", async () => {
  const host = hostWith();
  const hanging = hangWeights(100, 2);
  const first = expect(host.ensure(model, ignore)).rejects.toMatchObject({ name: "AbortError" });
  await hanging;
  const second = expect(host.ensure(model, ignore)).rejects.toMatchObject({ name: "AbortError" });
  await first;
  await host.stop();
  await second;
});

test("two tabs that load the same model fetch it once", async () => {
  const names = stubLocks();
  const store = createMemoryShardStore();
  const [one, two] = await Promise.all([hostWith(store).ensure(model, ignore), hostWith(store).ensure(model, ignore)]);
  expect(names).toEqual(["llava-weights/test/model", "llava-weights/test/model"]);
  expect([one.persisted, two.persisted]).toEqual([true, true]);
  const paths = server.asked.map(({ path }) => path).filter((path) => path !== "manifest.json");
  expect(paths).toHaveLength(packed.manifest.files.flatMap(({ shards }) => shards).length);
});

test("a removed model is not complete any more, and others stay", async () => {
  const store = createMemoryShardStore();
  const host = hostWith(store);
  const other = { ...model, id: "test/model-2" };
  await host.ensure(model, ignore);
  await host.ensure(other, ignore);
  await removePackage(model.id, store);
  expect(await host.isComplete(model)).toBe(false);
  expect(await host.isComplete(other)).toBe(true);
});
