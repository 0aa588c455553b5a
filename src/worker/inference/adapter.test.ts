// An adapter in the worker: stored beside its base, put beside what is loaded, and taken away again, with the real engine and store.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { convertAdapter } from "#convert/adapter.ts";
import { randomAdapter } from "#testing/adapter-fixture.ts";
import { convert } from "#convert/convert.ts";
import { memoryCheckpoint, memoryPackage } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine } from "#engine/engine.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { GenerateRequest } from "#engine/types.ts";
import { importPackage, openPackage } from "#weights/import-package.ts";
import { listPackages } from "#weights/inventory.ts";
import { createMemoryShardStore } from "#weights/store/store.ts";
import type { StoredPackage, WeightsApi } from "#worker/api.ts";
import { createInferenceHost } from "./engine-host.ts";
import type { InferenceHost } from "./host.ts";
import { createWeightsHost } from "#worker/weights/weights-host.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
vi.stubGlobal("crossOriginIsolated", true);
vi.stubGlobal("navigator", {});

const tiny = checkpointFolder(fileURLToPath(new URL("../../../training/fixtures/tiny-llava", import.meta.url)));
const store = createMemoryShardStore();
let weights: WeightsApi;
let inference: InferenceHost;
/** Sessions that were made, of all. */
let sessions = 0;
let baseFiles: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

async function keep(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<void> {
  const opened = await openPackage(new Map([...files].map(([path, bytes]) => [path, new Blob([bytes])])));
  if (!opened) throw new Error("no package");
  expect(await importPackage(store, opened)).toMatchObject({ ok: true });
}
async function keepAdapter(id: string, seed: number): Promise<void> {
  const to = memoryPackage();
  const { folder } = await randomAdapter(tiny, { seed });
  await convertAdapter(folder, memoryCheckpoint("base", baseFiles), to, { id, name: `Adapter ${id}` });
  await keep(to.written);
}

beforeAll(async () => {
  const to = memoryPackage();
  await convert(tiny, to, { bits: { vision: 8, embed: 8, decoder: 4 }, adaptable: true, id: "base", name: "Base" });
  baseFiles = to.written;
  await keep(baseFiles);
  weights = createWeightsHost({
    store,
    room: () => Promise.resolve(undefined),
    precision: () => Promise.resolve("cpu"),
  });
  inference = createInferenceHost({
    probeGpu: () => Promise.resolve({ kind: "none", reason: "no-webgpu" } as const),
    createWebGpuRuntime: () => Promise.reject(new Error("no WebGPU")),
    createWasmRuntime() {
      const runtime = createNodeRuntime({ threads: 1 });
      return Promise.resolve({
        ...runtime,
        createSession(source, onDevice) {
          sessions++;
          return runtime.createSession(source, onDevice);
        },
      });
    },
    createEngine,
    decodeImage,
  });
});
afterAll(() => inference.unload());

const ignore = (): void => undefined;
const stored = (id: string): Promise<StoredPackage> => weights.ensure({ id, baseUrl: "" }, ignore);
const request: GenerateRequest = {
  messages: [{ role: "user", parts: [{ type: "text", text: "Hello" }] }],
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
  maxNewTokens: 12,
  stop: [],
};
async function answer(adapter?: string, onText: () => void = ignore): Promise<string> {
  let text = "";
  const listen = (event: { type: string; text?: string }): void => {
    text += event.text ?? "";
    if (event.type === "text") onText();
  };
  await inference.generate(request, listen, { adapter });
  return text;
}
const load = async (): Promise<StoredPackage> => {
  const base = await stored("base");
  const model = { id: "base", baseUrl: "" };
  await inference.load({ model, package: base, device: "wasm", runtimeUrl: "" }, ignore);
  return base;
};

test("the first adapter makes room, every other one and the way back load nothing of the base", async () => {
  expect((await load()).adaptable).toBe(false);
  expect(sessions).toBe(3);
  const plain = await answer();
  await keepAdapter("one", 1);
  await keepAdapter("two", 2);
  expect(await inference.loadAdapter("one", await stored("one"))).toEqual({ name: "Adapter one", baseName: "Base" });
  // Its projector, and the decoder with room for it.
  expect(sessions).toBe(5);
  const one = await answer("one");
  expect(one).not.toBe(plain);
  await inference.loadAdapter("two", await stored("two"));
  const two = await answer("two");
  expect(two).not.toBe(one);
  expect([await answer(), await answer("one"), await answer("two"), await answer()]).toEqual([plain, one, two, plain]);

  // The next visit knows of the adapters before it loads.
  sessions = 0;
  expect((await load()).adaptable).toBe(true);
  expect(await answer()).toBe(plain);
  await inference.loadAdapter("one", await stored("one"));
  expect(await answer("one")).toBe(one);
  expect(await answer()).toBe(plain);
  expect(sessions).toBe(3 + 1);
});

test("an adapter that comes while an answer is under way waits for its end", async () => {
  await load();
  const plain = await answer();
  let told: Promise<unknown> | undefined;
  const packed = await stored("one");
  const said = await answer(undefined, () => {
    told ??= inference.loadAdapter("one", packed);
  });
  expect(said).toBe(plain);
  expect(await told).toMatchObject({ name: "Adapter one" });
  expect(await answer("one")).not.toBe(plain);
});

test("what does not fit, was not loaded or is no adapter is refused, and the model goes on as it was", async () => {
  await load();
  await inference.loadAdapter("one", await stored("one"));
  const one = await answer("one");
  const packed = await stored("one");
  const manifest: unknown = JSON.parse(
    JSON.stringify(packed.manifest).replace(/"fits":"[0-9a-f]{64}"/, `"fits":"${"0".repeat(64)}"`),
  );
  await expect(inference.loadAdapter("other", { ...packed, manifest })).rejects.toMatchObject({
    message: "the adapter Adapter one belongs to other weights of Base",
    name: "EngineError/bad-package",
  });
  await expect(inference.loadAdapter("base", await stored("base"))).rejects.toThrow(/Base is no adapter/);
  await expect(answer("other")).rejects.toThrow(/the adapter other was not loaded/);
  const cut = new Map(packed.files).set("adapter.data", new Blob([new Uint8Array(40)]));
  await expect(inference.loadAdapter("one", { ...packed, files: cut })).rejects.toThrow(/adapter\.data has 40 bytes/);
  expect(await answer("one")).toBe(one);
});

test("the list of what is stored says which go together", async () => {
  const infos = await listPackages(store);
  expect(infos.map(({ id, architecture, baseName }) => [id, architecture, baseName])).toEqual([
    ["base", "llava", undefined],
    ["one", "llava-adapter", "Base"],
    ["two", "llava-adapter", "Base"],
  ]);
  expect(new Set(infos.map(({ fits }) => fits)).size).toBe(1);
  expect(infos[0]?.fits).toMatch(/^[0-9a-f]{64}$/);
});
