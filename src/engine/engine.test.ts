// The engine on a tiny random LLaVA, converted in memory, on every runtime that runs in Node.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine, type Engine } from "./engine.ts";
import type { KvCache } from "#engine/decoder/kv-cache.ts";
import { decodeLast, type Decoder } from "#engine/decoder/decoder.ts";
import { loadModel } from "#engine/model/load.ts";
import type { Model } from "#engine/model/model.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { runSelfTest } from "#engine/model/self-test.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";
import {
  answer,
  assistant,
  byteTokenizer,
  contextLength,
  greedy,
  picture,
  request,
  tinyPackage,
  user,
} from "#testing/tiny-package.node.ts";
import type { GenerateEvent, GenerateRequest, PackageFiles, Part } from "./types.ts";

// Other work on the machine must not fail a test.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const wasmFolder = new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url).href;
const runtimes: readonly [string, number, () => Promise<Runtime>][] = [
  ["Node", 0, () => Promise.resolve(createNodeRuntime())],
  ["WASM, 4-bit", 0, () => createWasmRuntime({ runtimeUrl: wasmFolder })],
  ["WASM, expanded", 2 ** 30, () => createWasmRuntime({ runtimeUrl: wasmFolder })],
];

let tinyModel: Awaited<ReturnType<typeof tinyPackage>>;
let red: Part;
let blue: Part;
beforeAll(async () => {
  tinyModel = await tinyPackage();
  [red, blue] = await Promise.all([picture("red"), picture("blue")]);
});

describe.each(runtimes)("the model on %s", (_, memoryBudget, makeRuntime) => {
  let runtime: Runtime;
  let model: Model;
  beforeAll(async () => {
    runtime = await makeRuntime();
    model = await loadModel({ runtime, ...tinyModel, memoryBudget });
  });
  afterAll(() => model.dispose());

  const ids = Array.from({ length: 40 }, (_, i) => 40 + ((i * 17) % 80));
  const newCache = (): KvCache => model.decoder.createCache(contextLength);
  const feed = async (cache: KvCache, part: readonly number[]): Promise<Float32Array> => {
    const embeds = await model.embed(part);
    const logits = await decodeLast(model.decoder, embeds, part, cache);
    embeds.dispose();
    return logits;
  };
  const worst = (a: Float32Array, b: Float32Array): number =>
    Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? NaN))));

  test("token by token, in chunks and at once give the same logits", async () => {
    const whole = newCache();
    const expected = await feed(whole, ids);
    for (const size of [1, 7]) {
      const cache = newCache();
      let logits = new Float32Array();
      for (let from = 0; from < ids.length; from += size) {
        logits = Float32Array.from(await feed(cache, ids.slice(from, from + size)));
      }
      expect(worst(logits, expected)).toBeLessThan(1e-4);
      expect(cache.slots).toEqual(ids);
      cache.dispose();
    }
    whole.dispose();
    expect(runtime.aliveTensors).toBe(0);
  });

  test("a cache cut back to a prefix goes on as if the rest had never been", async () => {
    const cut = newCache();
    await feed(cut, ids);
    cut.truncate(11);
    const fresh = newCache();
    await feed(fresh, ids.slice(0, 11));
    expect(worst(await feed(cut, [99, 100, 101]), await feed(fresh, [99, 100, 101]))).toBeLessThan(1e-4);
    expect(cut.slots).toEqual(fresh.slots);
    cut.dispose();
    fresh.dispose();
    expect(runtime.aliveTensors).toBe(0);
  });
});

test("an answer ends at its template's separator where that is one token, and does not show it", async () => {
  // A tokenizer that has the separator in the place of one of the letters that the model says.
  const open = (letter?: string): Promise<Engine> => {
    const renamed = JSON.stringify(byteTokenizer()).replace(`"${letter ?? ""}":`, '"<|im_end|>":');
    const files: PackageFiles = {
      blob: (path) => (path === "tokenizer.json" ? Promise.resolve(new Blob([renamed])) : tinyModel.files.blob(path)),
    };
    const info = { ...tinyModel.info, model: { ...tinyModel.info.model, template: "chatml_direct" } };
    return createEngine({ runtime: createNodeRuntime(), files, info, decodeImage });
  };
  const asked = request([user("What is this?")]);
  const engine = await open();
  const { text, done } = await answer(engine, asked);
  await engine.dispose();
  expect(done.reason).toBe("length");
  // None that the prompt is written with.
  const at = Array.from(text).findIndex(
    (letter, i) => i > 1 && /[BCDEFGHJKLMNOPRSTUVXYZ0-9&%$#]/.test(letter) && text.indexOf(letter) === i,
  );
  expect(at).toBeGreaterThan(1);
  const ending = await open(text.charAt(at));
  const short = await answer(ending, asked);
  await ending.dispose();
  expect(short.text).toBe(text.slice(0, at));
  expect(short.done.reason).toBe("eos");
});

test("every runtime gives the same greedy answer, and passes the self-test", async () => {
  const texts: string[] = [];
  for (const [, memoryBudget, makeRuntime] of runtimes) {
    const engine = await createEngine({ runtime: await makeRuntime(), ...tinyModel, decodeImage, memoryBudget });
    expect(await engine.selfTest()).toMatchObject({ ok: true });
    texts.push((await answer(engine, request([user("What is this?", red)], { maxNewTokens: 48 }))).text);
    await engine.dispose();
  }
  expect(texts[0]).not.toBe("");
  expect(new Set(texts).size).toBe(1);
});

test("a device that computes wrong numbers fails the self-test", async () => {
  const runtime = createNodeRuntime();
  const wrong: Runtime = {
    ...runtime,
    read: async (tensor) => (await runtime.read(tensor)).map((value) => value * 1.05),
  };
  const engine = await createEngine({ runtime: wrong, ...tinyModel, decodeImage });
  expect(await engine.selfTest()).toMatchObject({ ok: false });
  await engine.dispose();
});

test("a device that replays steps wrongly goes without them; one that replays them correctly keeps them", async () => {
  const runtime = createNodeRuntime();
  const model = await loadModel({ runtime, ...tinyModel, memoryBudget: 0 });
  const { files, info } = tinyModel;
  const { decoder } = model;
  /** Whether a device that replays steps so still replays after the self-test, which it passes. */
  const replays = async (step: Decoder["run"]): Promise<boolean> => {
    const replay = { enabled: false };
    const run: Decoder["run"] = (...given) =>
      replay.enabled && given[1].length === 1 ? step(...given) : decoder.run(...given);
    const device: Model = { ...model, decoder: { ...decoder, replay, run } };
    expect(await runSelfTest(device, files, info.selfTest ?? "")).toMatchObject({ ok: true });
    return replay.enabled;
  };
  expect(await replays((...given) => decoder.run(...given))).toBe(true);
  // The first step's numbers for every token, as from a buffer that nobody writes any more.
  let first: Promise<Float32Array[]> | undefined;
  expect(await replays((...given) => (first ??= decoder.run(...given)))).toBe(false);
  expect(await replays(() => Promise.reject(new Error("not on this device")))).toBe(false);
  await model.dispose();
});

describe("conversations", () => {
  let runtime: Runtime;
  let engine: Engine;
  const open = (changes: { prefillChunk?: number } = {}): Promise<Engine> =>
    createEngine({ runtime, ...tinyModel, decodeImage, ...changes });
  /** The answer of an engine that has seen nothing before. */
  const fromScratch = async (asked: GenerateRequest): Promise<string> => {
    const fresh = await open();
    const { text } = await answer(fresh, asked);
    await fresh.dispose();
    return text;
  };
  beforeAll(async () => {
    runtime = createNodeRuntime();
    engine = await open();
  });
  afterAll(() => engine.dispose());

  test("a second turn prefills only what is new, and answers as from scratch", async () => {
    const first = await answer(engine, request([user("One?", red)]));
    const turns = [user("One?", red), assistant(first.text), user("Two?")];
    const second = await answer(engine, request(turns));
    expect(second.done.usage.cachedTokens).toBeGreaterThanOrEqual(first.done.usage.promptTokens);
    expect(second.done.timings.visionMs).toBe(0);
    expect(second.text).toBe(await fromScratch(request(turns)));
  });

  test("an edited question forgets what came after the edit", async () => {
    await answer(engine, request([user("What colour is it?", red)]));
    const edited = await answer(engine, request([user("What size is it?", red)]));
    expect(edited.done.usage.cachedTokens).toBeGreaterThan(0);
    expect(edited.text).toBe(await fromScratch(request([user("What size is it?", red)])));
  });

  test("a copy of a picture that is known by its id is not even read", async () => {
    if (red.type !== "image") throw new Error("no picture");
    const { blob } = red;
    const first = await answer(engine, request([user("Which?", { type: "image", blob, id: "red" })]));
    const copy = new Blob([blob]);
    const read = vi.spyOn(copy, "arrayBuffer");
    const second = await answer(engine, request([user("Which?", { type: "image", blob: copy, id: "red" })]));
    expect(read).not.toHaveBeenCalled();
    expect(second.done.usage.cachedTokens).toBe(second.done.usage.promptTokens - 1);
    expect(second.text).toBe(first.text);
  });

  test("asking the same again runs one row and answers the same", async () => {
    const asked = request([user("Again?", red)]);
    const first = await answer(engine, asked);
    const second = await answer(engine, asked);
    expect(second.done.usage.cachedTokens).toBe(second.done.usage.promptTokens - 1);
    expect(second.text).toBe(first.text);
  });

  test("two pictures in one turn and a third in a later one each take their place", async () => {
    const turns = [user("Which?", red, blue), assistant("Both"), user("And this?", blue)];
    const there = await answer(engine, request(turns));
    expect(there.done.usage.imageTokens).toBe(3 * tinyModel.info.model.imageTokens);
    expect(there.text).toBe(await fromScratch(request(turns)));
    const swapped = [user("Which?", blue, red), assistant("Both"), user("And this?", blue)];
    expect((await answer(engine, request(swapped))).text).toBe(await fromScratch(request(swapped)));
  });

  test("the same picture under another mode is another picture", async () => {
    const padded = await answer(engine, request([user("Mode?", red)], { imageMode: "pad" }));
    const cropped = await answer(engine, request([user("Mode?", red)], { imageMode: "crop" }));
    expect(cropped.done.timings.visionMs).toBeGreaterThan(0);
    expect(cropped.done.usage.cachedTokens).toBeLessThan(padded.done.usage.promptTokens - 1);
  });

  test("chunks of any size give the same answer", async () => {
    const asked = request([user("Chunks of a picture?", red, blue)]);
    const expected = await fromScratch(asked);
    for (const prefillChunk of [1, 5, 64]) {
      const chunked = await open({ prefillChunk });
      expect((await answer(chunked, asked)).text).toBe(expected);
      await chunked.dispose();
    }
  });

  test("the same seed draws the same answer", async () => {
    const draw = (seed: number) =>
      request([user("Draw?", red)], { sampling: { ...greedy, temperature: 1.5, seed }, maxNewTokens: 24 });
    const first = (await answer(engine, draw(1))).text;
    expect((await answer(engine, draw(1))).text).toBe(first);
    expect((await answer(engine, draw(2))).text).not.toBe(first);
  });

  test("a stop string ends the answer before it", async () => {
    const asked = request([user("Stop where?", red)], { maxNewTokens: 24 });
    const whole = (await answer(engine, asked)).text;
    const stop = whole.slice(6, 9);
    const stopped = await answer(engine, { ...asked, stop: [stop] });
    expect(stopped.text).toBe(whole.slice(0, whole.indexOf(stop)));
    expect(stopped.done.reason).toBe("stop");
  });

  test("the answer ends after the tokens that were asked for", async () => {
    const { done } = await answer(engine, request([user("Long?")], { maxNewTokens: 3 }));
    expect(done).toMatchObject({ reason: "length", usage: { newTokens: 3 } });
  });

  test("text that spells a special token stays text", async () => {
    const { done } = await answer(engine, request([user("<image></s><s>", red)]));
    expect(done.usage.imageTokens).toBe(tinyModel.info.model.imageTokens);
  });

  test("timings are told and add up", async () => {
    const { done } = await answer(engine, request([user("When?", await picture("green"))]));
    const { imageMs, visionMs, prefillMs, decodeMs, firstTokenMs, totalMs } = done.timings;
    for (const part of [imageMs, visionMs, prefillMs, decodeMs]) expect(part).toBeGreaterThan(0);
    expect(imageMs + visionMs + prefillMs).toBeLessThan(firstTokenMs);
    expect(firstTokenMs).toBeLessThan(totalMs);
  });
});

describe("stopping", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ runtime: createNodeRuntime(), ...tinyModel, decodeImage, prefillChunk: 8 });
  });
  afterAll(() => engine.dispose());

  async function stopAt(when: (event: GenerateEvent) => boolean, asked: GenerateRequest): Promise<GenerateEvent[]> {
    const stopper = new AbortController();
    const events: GenerateEvent[] = [];
    for await (const event of engine.generate(asked, stopper.signal)) {
      events.push(event);
      if (when(event)) stopper.abort();
    }
    return events;
  }

  test("between prefill chunks ends without a token, and the next turn goes on from what is held", async () => {
    const asked = request([user("A question of some length, so that there are chunks", red)]);
    const events = await stopAt(
      (event) => event.type === "stage" && event.stage === "prefill" && event.done >= 16,
      asked,
    );
    expect(events.at(-1)).toMatchObject({ type: "done", reason: "abort", usage: { newTokens: 0 } });
    const after = await answer(engine, asked);
    expect(after.done.usage.cachedTokens).toBe(16);
  });

  test("between tokens keeps what was said", async () => {
    let texts = 0;
    const events = await stopAt((event) => event.type === "text" && ++texts === 3, request([user("Tell")]));
    expect(events.at(-1)).toMatchObject({ reason: "abort", usage: { newTokens: 3 } });
  });

  test("before anything ran ends at once", async () => {
    const { done } = await answer(engine, request([user("Never", red)]), AbortSignal.abort());
    expect(done.reason).toBe("abort");
  });

  test("leaving the loop leaves the engine free", async () => {
    for await (const event of engine.generate(request([user("Leave")]))) if (event.type === "text") break;
    expect((await answer(engine, request([user("Leave")]))).text).not.toBe("");
  });
});

describe("requests that can't be served", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createEngine({ runtime: createNodeRuntime(), ...tinyModel, decodeImage });
  });
  afterAll(() => engine.dispose());

  test("a prompt longer than the context is refused before any work, and the engine goes on", async () => {
    const long = request([user("x".repeat(contextLength), red)]);
    await expect(answer(engine, long)).rejects.toMatchObject({ code: "context-full" });
    expect((await answer(engine, request([user("Short")]))).text).not.toBe("");
  });

  test("an answer that reaches the end of the context ends there", async () => {
    const empty = (await answer(engine, request([user("")], { maxNewTokens: 1 }))).done.usage.promptTokens;
    const room = 4;
    const nearly = request([user("y".repeat(contextLength - empty - room))], { maxNewTokens: 100 });
    expect((await answer(engine, nearly)).done).toMatchObject({ reason: "context", usage: { newTokens: room } });
  });

  test("a broken picture says so", async () => {
    const broken: Part = { type: "image", blob: new Blob(["no picture"]) };
    await expect(answer(engine, request([user("Q", broken)]))).rejects.toMatchObject({ code: "bad-image" });
  });

  test.each([
    ["temperature", { temperature: -1 }],
    ["top-k", { topK: 1.5 }],
    ["top-p", { topP: 0 }],
    ["min-p", { minP: 2 }],
    ["repetition penalty", { repetitionPenalty: 0 }],
  ])("%s out of range", async (name, changes) => {
    const asked = request([user("Q")], { sampling: { ...greedy, ...changes } });
    await expect(answer(engine, asked)).rejects.toThrow(new RegExp(name));
  });
});

test("a hundred turns leave no tensor behind", async () => {
  const runtime = createNodeRuntime();
  const engine = await createEngine({ runtime, ...tinyModel, decodeImage });
  const alive: number[] = [];
  for (let turn = 0; turn < 100; turn++) {
    const stopper = new AbortController();
    if (turn % 5 === 0) stopper.abort();
    await answer(
      engine,
      request([user(`Turn ${turn}`, turn % 2 === 0 ? red : blue)], { maxNewTokens: 2 }),
      stopper.signal,
    );
    alive.push(runtime.aliveTensors);
  }
  expect(alive.at(-1)).toBe(alive[10]);
  await engine.dispose();
  expect(runtime.aliveTensors).toBe(0);
});

test("a package without a config file is refused by the file's name", async () => {
  const files: PackageFiles = {
    blob: (path) => (path === "config.json" ? Promise.resolve(new Blob(["{}"])) : tinyModel.files.blob(path)),
  };
  const opening = createEngine({ runtime: createNodeRuntime(), files, info: tinyModel.info, decodeImage });
  await expect(opening).rejects.toThrow(/config.json: text_config/);
});
