import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine, type Engine } from "./engine.ts";
import type { FeatureStore, KeptFeatures } from "#engine/model/image-features.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { answer, picture, request, tinyPackage, user } from "#testing/tiny-package.node.ts";
import type { Part } from "./types.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const runtime = createNodeRuntime();
let tiny: Awaited<ReturnType<typeof tinyPackage>>;
let red: Part;
let plain: Engine;
const open = (keptFeatures?: FeatureStore): Promise<Engine> =>
  createEngine({ runtime, ...tiny, decodeImage, keptFeatures });

class MemoryStore implements FeatureStore {
  readonly kept = new Map<string, KeptFeatures>();
  puts = 0;
  get = (key: string): Promise<KeptFeatures | undefined> => Promise.resolve(this.kept.get(key)?.slice());
  put = (key: string, features: KeptFeatures): Promise<void> => {
    this.puts++;
    this.kept.set(key, features);
    return Promise.resolve();
  };
}

beforeAll(async () => {
  tiny = await tinyPackage();
  red = await picture("red");
  plain = await open();
});
afterAll(() => plain.dispose());

test("a picture that an earlier engine encoded is not encoded again, and the answer is the same", async () => {
  const store = new MemoryStore();
  const asked = request([user("What is this?", red)], { maxNewTokens: 24 });
  const first = await open(store);
  const iterator = first.generate(asked);
  let text = "";
  for await (const event of iterator) {
    expect(store.puts).toBe(0);
    if (event.type === "text") text += event.text;
    if (event.type === "done") expect(event.timings.visionMs).toBeGreaterThan(0);
  }
  expect(store.puts).toBe(1);
  await answer(first, asked);
  expect(store.puts).toBe(1);
  await first.dispose();

  const second = await open(store);
  const got = await answer(second, asked);
  expect(got.text).toBe(text);
  expect(got.text).toBe((await answer(plain, asked)).text);
  expect(got.done.timings.visionMs).toBe(0);
  expect((await answer(second, { ...asked, imageMode: "crop" })).done.timings.visionMs).toBeGreaterThan(0);
  expect(store.puts).toBe(2);
  await second.dispose();
});

test("what was prepared is kept too", async () => {
  const store = new MemoryStore();
  const engine = await open(store);
  await engine.prepare(request([user("", red)]));
  expect(store.puts).toBe(1);
  await engine.dispose();
});

test("features of another size are not used, and a store that fails changes nothing", async () => {
  const asked = request([user("What is this?", red)]);
  const expected = (await answer(plain, asked)).text;
  const wrong = await open({
    get: () => Promise.resolve(new Float32Array(7)),
    put: () => Promise.reject(new Error("full")),
  });
  const got = await answer(wrong, asked);
  expect(got.text).toBe(expected);
  expect(got.done.timings.visionMs).toBeGreaterThan(0);
  await wrong.dispose();
  const failing = await open({
    get: () => Promise.reject(new Error("blocked")),
    put: () => Promise.resolve(),
  });
  expect((await answer(failing, asked)).text).toBe(expected);
  await failing.dispose();
});
