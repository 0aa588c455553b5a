// A question that is prepared in the worker while it is being typed, with the real engine: who waits for whom, and that no answer changes.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createEngine } from "#engine/engine.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { GenerateEvent, GenerateRequest, Part } from "#engine/types.ts";
import { picture, request, tinyPackage, user } from "#testing/tiny-package.node.ts";
import type { StoredPackage } from "#worker/api.ts";
import { createInferenceHost } from "./engine-host.ts";
import type { InferenceHost } from "./host.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
vi.stubGlobal("crossOriginIsolated", true);

let stored: StoredPackage;
/** A host that has prepared nothing. */
let fresh: InferenceHost;
let red: Part;
let blue: Part;

/** Chunks of four rows, so that there is something to stop. */
async function open(): Promise<InferenceHost> {
  const host = createInferenceHost({
    probeGpu: () => Promise.resolve({ kind: "none", reason: "no-webgpu" } as const),
    createWebGpuRuntime: () => Promise.reject(new Error("no WebGPU")),
    createWasmRuntime: () => Promise.resolve(createNodeRuntime()),
    createEngine: (options) => createEngine({ ...options, prefillChunk: 4 }),
    decodeImage,
  });
  const model = { id: "tiny", baseUrl: "" };
  await host.load({ model, package: stored, device: "wasm", runtimeUrl: "" }, () => undefined);
  return host;
}

async function answer(host: InferenceHost, asked: GenerateRequest, onText = (): Promise<void> => Promise.resolve()) {
  let text = "";
  let done: Extract<GenerateEvent, { type: "done" }> | undefined;
  await host.generate(asked, async (event) => {
    if (event.type === "done") done = event;
    if (event.type !== "text") return;
    text += event.text;
    await onText();
  });
  if (!done) throw new Error("the answer has no end");
  return { text, done };
}

beforeAll(async () => {
  const { info, files } = await tinyPackage();
  const blobs = await Promise.all(info.files.map(async ({ path }) => [path, await files.blob(path)] as const));
  stored = { persisted: true, manifest: info, files: new Map(blobs) };
  [red, blue] = await Promise.all([picture("red"), picture("blue")]);
  fresh = await open();
});
afterAll(() => fresh.unload());

test("an answer that is asked for in the middle of it does not wait for the rest, and keeps what is there", async () => {
  const host = await open();
  const asked = request([user("word ".repeat(40), red)]);
  const [, got] = await Promise.all([host.prepare(asked), answer(host, asked)]);
  expect(got.done.usage.cachedTokens).toBeLessThan(got.done.usage.promptTokens - 1);
  expect(got.text).toBe((await answer(fresh, asked)).text);
  await host.unload();
});

test("a newer one takes the place of an older one, and a stop ends them all", async () => {
  const host = await open();
  const plans = ["a", "b", "c"].map((word) => host.prepare(request([user(`${word} `.repeat(90), blue)])));
  await host.stop();
  await Promise.all(plans);
  const asked = request([user("c ".repeat(90), blue)]);
  const got = await answer(host, asked);
  expect(got.done.usage.cachedTokens).toBeLessThan(got.done.usage.promptTokens - 20);
  expect(got.text).toBe((await answer(fresh, asked)).text);
  await host.unload();
});

test("while an answer runs it does nothing", async () => {
  const asked = request([user("What is this?", red)], { maxNewTokens: 40 });
  const expected = await answer(fresh, asked);
  const got = await answer(fresh, asked, async () => {
    await fresh.prepare(request([user("Something else", blue)]));
  });
  expect(got.text).toBe(expected.text);
  // The cache still holds this prompt, not the one that was to be prepared.
  const again = await answer(fresh, asked);
  expect(again.done.usage.cachedTokens).toBe(again.done.usage.promptTokens - 1);
});
