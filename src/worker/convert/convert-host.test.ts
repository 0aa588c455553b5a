// The converting worker's side over a real hub server: plans, gates, conversions that end as ordinary packages, pauses and what is left.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rangeThread } from "#convert/places/range-thread.node.ts";
import { fileHashThread } from "#convert/streaming/file-hash.node.ts";
import { quantizerThreads } from "#convert/quantize/quantizer.node.ts";
import { publishOnHub, testCommit } from "#testing/servers/hub-server.node.ts";
import { startPackageServer, testPackage, type PackageServer } from "#testing/servers/package-server.node.ts";
import { EngineError } from "#engine/errors.ts";
import { loadModel } from "#engine/model/load.ts";
import { recordSelfTest } from "#engine/model/record-self-test.ts";
import { runSelfTest } from "#engine/model/self-test.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { PackageFiles } from "#engine/types.ts";
import { listPackages, verifyPackage } from "#weights/inventory.ts";
import { parseManifest, type Manifest } from "#weights/manifest.ts";
import { manifestKey, packageShards } from "#weights/store/keys.ts";
import { createMemoryShardStore, type ShardStore } from "#weights/store/store.ts";
import type { ConversionEvent, ConversionRequest } from "./convert-api.ts";
import { createConvertHost, type ConvertHost } from "./convert-host.ts";
import { refuseEndless, renderInJinja } from "./convert-templates.ts";

const fixture = fileURLToPath(new URL("../../../training/fixtures/tiny-llava", import.meta.url));
const repository = "someone/tiny-llava";
let server: PackageServer;
let files = new Map<string, Uint8Array<ArrayBuffer>>();
let request: ConversionRequest;

beforeEach(async () => {
  vi.stubGlobal("navigator", {});
  server = await startPackageServer(testPackage());
  server.files = new Map();
  const names = await readdir(fixture);
  files = new Map(
    await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(fixture, name)))] as const)),
  );
  publishOnHub(server, repository, files, { modelType: "llava" });
  request = { place: { kind: "hub", hub: new URL("/", server.baseUrl).href, repository } };
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server.stop();
});

function hostOver(store = createMemoryShardStore(), roomBytes = 1e9, more: Partial<ConvertHost> = {}) {
  const facts = { memoryBytes: 8e9, roomBytes };
  const host = createConvertHost({
    store,
    facts: () => Promise.resolve(facts),
    room: () => Promise.resolve(roomBytes),
    startQuantizer: () => Promise.resolve(quantizerThreads(1)),
    startHash: () => Promise.resolve(fileHashThread()),
    renderChat: renderInJinja,
    tryTokenizer: refuseEndless,
    sizes: { unitBytes: 50_000, blockBytes: 65_536 },
    ...more,
  });
  return { store, host };
}

const ignore = (): void => undefined;
const weights = (): typeof server.asked => server.asked.filter(({ path }) => path.endsWith(".safetensors"));

test("what a conversion takes is told before a byte of weights is fetched, and the conversion keeps to it", async () => {
  const { host, store } = hostOver();
  const plan = await host.plan(request);
  expect(plan).toMatchObject({
    kind: "plan",
    id: repository,
    name: "tiny-llava",
    license: "apache-2.0",
    commit: testCommit,
    fetchBytes: 717_952 + 307_080,
    fetchedBytes: 0,
    keptBytes: 0,
    verified: true,
    contextLength: 512,
    fit: { verdict: "fits" },
  });
  // Headers only.
  expect(weights().reduce((sum, { start, end }) => sum + end - start, 0)).toBeLessThan(40_000);
  expect(await store.keys()).toEqual([]);
  const events: ConversionEvent[] = [];
  expect(await host.convert(request, (event) => void events.push(event), "1")).toEqual({
    kind: "made",
    id: repository,
  });
  expect(events[0]).toMatchObject({ stage: "opening", fetched: 0 });
  expect(events.at(-1)).toMatchObject({ stage: "finishing", ...(plan.kind === "plan" && { kept: plan.keepBytes, toKeep: plan.keepBytes, fetched: plan.fetchBytes }) }); // prettier-ignore
  expect(await listPackages(store)).toMatchObject([
    { id: repository, complete: true, architecture: "llava", baseUrl: "" },
  ]);
  expect((await listPackages(store))[0]?.unfinished).toBeUndefined();
  expect(await verifyPackage(store, repository)).toEqual({ damaged: 0, missing: 0 });
});

const fixtures = fileURLToPath(new URL("../../../training/fixtures/", import.meta.url));
const read = async (path: string) => new Uint8Array(await readFile(join(fixtures, path)));

test("a repository of several models in GGUF is a choice, and the chosen one becomes a package, whatever config.json lies beside it", async () => {
  const gguf = await read("gguf/llava-1.5.gguf");
  const mmproj = await read("gguf/llava-1.5.mmproj.gguf");
  publishOnHub(server, "someone/gguf", new Map([["config.json", new TextEncoder().encode('{"model_type":"llava"}')], ["a-Q4_0.gguf", gguf], ["a-Q8_0.gguf", gguf], ["a-mmproj-f16.gguf", mmproj]])); // prettier-ignore
  const { host, store } = hostOver();
  const place = { ...request.place, repository: "someone/gguf" } as typeof request.place;
  const plan = await host.plan({ place });
  if (plan.kind !== "choice") throw new Error(`a ${plan.kind}`);
  expect(plan.models.map(({ quantization, recommended }) => [quantization, recommended])).toEqual([["Q4_0", false], ["Q8_0", true]]); // prettier-ignore
  const [, chosen] = plan.models;
  const asked = { place, weights: chosen?.weights, id: "someone/gguf:Q8_0", name: "a-Q8_0" };
  expect(await host.plan(asked)).toMatchObject({ kind: "plan", id: asked.id, name: "a-Q8_0", verified: true });
  expect(await host.convert(asked, ignore, "1")).toEqual({ kind: "made", id: asked.id });
  expect(await listPackages(store)).toMatchObject([{ id: asked.id, complete: true }]);
  expect(server.asked.filter(({ path }) => path.endsWith("a-Q4_0.gguf"))).toEqual([]);
});

test("a tower in another repository is fetched from there", async () => {
  for (const [name, folder] of [["original", "llava-1.5.original"], ["tower", "llava-1.5.tower"]] as const) {
    const names = await readdir(join(fixtures, "families", folder));
    const entries = await Promise.all(names.map(async (file) => [file, await read(`families/${folder}/${file}`)] as const));
    publishOnHub(server, `someone/${name}`, new Map(entries));
  } // prettier-ignore
  const { host, store } = hostOver();
  const place = { ...request.place, repository: "someone/original" } as typeof request.place;
  await expect(host.plan({ place })).rejects.toThrow(/no vision tower of its own/);
  const asked = { place, tower: "someone/tower" };
  expect(await host.plan(asked)).toMatchObject({ kind: "plan", id: "someone/original" });
  expect(await host.convert(asked, ignore, "1")).toEqual({ kind: "made", id: "someone/original" });
  expect(await verifyPackage(store, "someone/original")).toEqual({ damaged: 0, missing: 0 });
});

test("a paused conversion is listed with what it is of, goes on where it was, and can be discarded", async () => {
  const { host, store } = hostOver();
  /** Pauses as soon as something is stored, which half of the weights are enough for; more does not come. */
  const begin = async (asked: ConversionRequest): Promise<void> => {
    server.isHeld = ({ path, start, end }) => path.endsWith(".safetensors") && end - start > 20_000;
    server.gate.allow(600_000);
    const work = host.convert(asked, (event) => void (event.kept > 0 && host.pause("1")), "1");
    await expect(work).rejects.toMatchObject({ name: "AbortError" });
    server.isHeld = () => false;
    server.gate.close();
  };
  await begin(request);
  const [info] = await listPackages(store);
  expect(info).toMatchObject({
    id: repository,
    complete: false,
    unfinished: { place: { ...request.place, revision: testCommit }, name: "tiny-llava", license: "apache-2.0" },
  });
  const { fetchedBytes = 0, place } = info?.unfinished ?? {};
  expect(fetchedBytes).toBeGreaterThan(0);
  expect(await host.plan(request)).toMatchObject({ fetchedBytes });
  server.asked.length = 0;
  // As another visit would, by what the listing says.
  if (!place) throw new Error("no place");
  await host.convert({ place, id: repository }, ignore, "2");
  const large = weights().filter(({ path, start, end }) => path.endsWith("00001-of-00002.safetensors") && end - start > 20_000); // prettier-ignore
  expect(Math.min(...large.map(({ start }) => start))).toBeGreaterThanOrEqual(Math.min(fetchedBytes, 717_952 - 65_536));
  expect(await verifyPackage(store, repository)).toEqual({ damaged: 0, missing: 0 });

  await begin({ ...request, id: "other" });
  expect((await listPackages(store)).map(({ id, complete }) => [id, complete])).toEqual([
    ["other", false],
    [repository, true],
  ]);
  expect(await host.discard("other")).toBe("done");
  expect((await listPackages(store)).map(({ id }) => id)).toEqual([repository]);
  expect(await host.discard(repository)).toBe("done");
  expect((await listPackages(store))[0]?.complete).toBe(true);
});

test("a gated repository is an outcome of its own, and its token goes with every request to the hub", async () => {
  const { host } = hostOver();
  server.misbehave = ({ path }) => (path.includes("/resolve/") ? { kind: "status", status: 403 } : undefined);
  const page = `${new URL("/", server.baseUrl).href}${repository}`;
  expect(await host.plan(request)).toEqual({ kind: "gated", status: 403, page });
  expect(await host.convert(request, ignore, "1")).toEqual({ kind: "gated", status: 403, page });
  server.misbehave = () => ({ kind: "status", status: 401 });
  expect(await host.plan({ ...request, token: "hf_abc" })).toEqual({ kind: "gated", status: 401, page });
});

test("a finished package is run for its golden numbers, which every device is measured by; without the runtime there are none", async () => {
  const runtime = createNodeRuntime();
  const asked: string[] = [];
  const { host, store } = hostOver(undefined, undefined, {
    startRanges: () => Promise.resolve(rangeThread()),
    selfTest(info, packageFiles, runtimeUrl) {
      asked.push(runtimeUrl);
      return recordSelfTest(runtime, info, packageFiles);
    },
  });
  const runtimeUrl = "https://example.org/runtime/";
  await host.convert({ ...request, runtimeUrl }, ignore, "1");
  expect(asked).toEqual([runtimeUrl]);
  const manifest = await storedManifest(store, repository);
  expect(manifest.selfTest).toBe("onnx/self_test.json");
  expect(await verifyPackage(store, repository)).toEqual({ damaged: 0, missing: 0 });
  // As a visitor's device meets it: loaded from the store, and right; the worst is no more than rounding.
  const model = await loadModel({ runtime, files: storedFiles(store, repository, manifest), info: manifest, memoryBudget: 0 });
  const found = await runSelfTest(model, storedFiles(store, repository, manifest), manifest.selfTest ?? "");
  expect(found.ok).toBe(true);
  expect(found.worst).toBeLessThan(1e-5);
  await model.dispose();
  await runtime.dispose();
  await host.convert({ ...request, id: "without" }, ignore, "2");
  expect((await storedManifest(store, "without")).selfTest).toBeUndefined();
}); // prettier-ignore

test("a paused conversion that another visit goes on with gets golden numbers of all that is stored", async () => {
  const runtime = createNodeRuntime();
  const store = createMemoryShardStore();
  const selfTest: ConvertHost["selfTest"] = (info, packageFiles) => recordSelfTest(runtime, info, packageFiles);
  const withUrl = { ...request, runtimeUrl: "https://example.org/" };
  const { host } = hostOver(store, undefined, { selfTest });
  const paused = host.convert(withUrl, (event) => void (event.kept > 0 && host.pause("1")), "1");
  await expect(paused).rejects.toMatchObject({ name: "AbortError" });
  const { host: later } = hostOver(store, undefined, { selfTest });
  await later.convert(withUrl, ignore, "1");
  const { host: other, store: whole } = hostOver(undefined, undefined, { selfTest });
  await other.convert(withUrl, ignore, "1");
  expect(await storedManifest(store, repository)).toEqual(await storedManifest(whole, repository));
  await runtime.dispose();
});

test("a package that can't be run is a package all the same", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(ignore);
  const { host, store } = hostOver(undefined, undefined, {
    selfTest: () => Promise.reject(new EngineError("numerics", "the model computes no numbers")),
  });
  await host.convert({ ...request, runtimeUrl: "https://example.org/" }, ignore, "1");
  expect(await listPackages(store)).toMatchObject([{ id: repository, complete: true }]);
  expect((await storedManifest(store, repository)).selfTest).toBeUndefined();
  expect(warn).toHaveBeenCalledOnce();
  warn.mockRestore();
});

async function storedManifest(store: ShardStore, id: string): Promise<Manifest> {
  const blob = await store.get(manifestKey(id));
  const parsed = parseManifest(JSON.parse((await blob?.text()) ?? ""));
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.manifest;
}

/** The files of a stored package. */
function storedFiles(store: ShardStore, id: string, manifest: Manifest): PackageFiles {
  return {
    async blob(path) {
      const shards = packageShards(id, manifest).filter((shard) => shard.file.path === path);
      const blobs = await Promise.all(shards.map(({ key }) => store.get(key)));
      return new Blob(blobs.filter((blob) => blob !== undefined));
    },
  };
}

test("a server's folder and dropped files become the same package", async () => {
  const address = { kind: "address", url: `${new URL("/", server.baseUrl).href}${repository}/resolve/${testCommit}/` } as const; // prettier-ignore
  const dropped = {
    kind: "files",
    name: "tiny-llava",
    files: new Map([...files].map(([path, bytes]) => [`tiny-llava/${path}`, new File([bytes], path)])),
  } as const;
  const manifests = [];
  for (const place of [request.place, address, dropped]) {
    const { host, store } = hostOver();
    expect(await host.convert({ place, id: "a", name: "A", license: "x" }, ignore, "1")).toEqual({
      kind: "made",
      id: "a",
    });
    manifests.push(await (await store.get("a/manifest.json"))?.text());
  }
  expect(new Set(manifests).size).toBe(1);
});

test("of a repository of GGUF files those that are named are converted, and no other is fetched", async () => {
  const folder = join(fixture, "../gguf");
  const names = ["llava-1.5.gguf", "llava-1.5.mmproj.gguf", "llava-interleave.gguf"];
  const gguf = await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))] as const)); // prettier-ignore
  publishOnHub(server, "someone/gguf", new Map(gguf));
  const { host, store } = hostOver();
  const asked = { ...request, place: { ...request.place, repository: "someone/gguf" }, weights: names.slice(0, 2) };
  expect(await host.plan(asked)).toMatchObject({ kind: "plan", id: "someone/gguf", verified: true });
  expect(await host.convert(asked, ignore, "1")).toEqual({ kind: "made", id: "someone/gguf" });
  expect(await verifyPackage(store, "someone/gguf")).toEqual({ damaged: 0, missing: 0 });
  expect(server.asked.filter(({ path }) => path.includes("interleave"))).toEqual([]);
});

test("where there is no room, nothing is fetched", async () => {
  const { host, store } = hostOver(createMemoryShardStore(), 1000);
  await expect(host.convert(request, ignore, "1")).rejects.toMatchObject({ code: "quota" });
  expect(await store.keys()).toEqual([]);
  expect(weights().every(({ start, end }) => end - start < 40_000)).toBe(true);
});
