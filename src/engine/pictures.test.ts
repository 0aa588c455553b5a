// Pictures in tiles through the whole engine, on the tiny LLaVA-1.6 and OneVision checkpoints.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { convert } from "#convert/convert.ts";
import { memoryPackage } from "#testing/fixtures.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { createEngine, type Engine } from "./engine.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";
import type { GenerateEvent, GenerateRequest, ImageMode, Message, Part, Pixels } from "./types.ts";

interface Loaded {
  readonly engine: Engine;
  readonly runtime: Runtime;
  readonly decoded: () => number;
}

async function load(family: string, runtime: Runtime = createNodeRuntime({ threads: 1 })): Promise<Loaded> {
  const folder = fileURLToPath(new URL(`../../training/fixtures/families/${family}`, import.meta.url));
  const to = memoryPackage();
  const bits = { vision: 32, embed: 32, decoder: 32 } as const;
  const info = await convert(checkpointFolder(folder), to, { bits, template: "vicuna_v1" });
  let decoded = 0;
  const decodeImage = (blob: Blob): Promise<Pixels> => {
    decoded++;
    const width = blob.size;
    const data = new Uint8Array(width * 40 * 4).map((_, i) => (i * 31) % 256);
    return Promise.resolve({ width, height: 40, data });
  };
  const engine = await createEngine({ runtime, files: to.files, info, decodeImage, prefillChunk: 16 });
  return { engine, runtime, decoded: () => decoded };
}

/** A file whose length is the width of the picture it stands for. */
const picture = (width: number, content = "p"): Part => ({ type: "image", blob: new Blob([content.repeat(width)]) });
const user = (...parts: Part[]): Message => ({
  role: "user",
  parts: [...parts, { type: "text", text: "What is this?" }],
});

async function ask(engine: Engine, messages: Message[], imageMode: ImageMode = "auto", signal?: AbortSignal) {
  const request: GenerateRequest = {
    messages,
    sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
    maxNewTokens: 6,
    stop: [],
    imageMode,
  };
  const events: GenerateEvent[] = [];
  for await (const event of engine.generate(request, signal)) events.push(event);
  const done = events.at(-1);
  if (done?.type !== "done") throw new Error("the last event is not done");
  return { done, text: events.map((event) => (event.type === "text" ? event.text : "")).join("") };
}

describe("LLaVA-1.6", () => {
  let loaded: Loaded;
  beforeAll(async () => {
    loaded = await load("llava-1.6-vicuna");
  });
  afterAll(() => loaded.engine.dispose());

  test("a picture takes as many tokens as its shape needs, and a second turn neither decodes nor encodes it again", async () => {
    const { engine, runtime, decoded } = loaded;
    const first = await ask(engine, [user(picture(80))]);
    expect(first.done.usage.imageTokens).toBe(16 + 4 * 9); // 2 × 1 tiles
    expect(decoded()).toBe(1);
    const alive = runtime.aliveTensors;
    const answer: Message = { role: "assistant", parts: [{ type: "text", text: first.text }] };
    const second = await ask(engine, [user(picture(80)), answer, user()]);
    expect(second.done.usage.imageTokens).toBe(16 + 4 * 9);
    expect(second.done.usage.cachedTokens).toBeGreaterThan(60);
    expect(decoded()).toBe(1);
    expect(runtime.aliveTensors).toBe(alive);
  });

  test("asked for one square, it sees the whole picture and a newline", async () => {
    const { done } = await ask(loaded.engine, [user(picture(80))], "pad");
    expect(done.usage.imageTokens).toBe(17);
  });

  test("Stop is heard between two tiles and leaves nothing behind", async () => {
    const { engine, runtime } = loaded;
    const alive = runtime.aliveTensors;
    const stop = new AbortController();
    const request: GenerateRequest = {
      messages: [user(picture(40))],
      sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
      maxNewTokens: 6,
      stop: [],
    };
    let tiles = 0;
    let last: GenerateEvent | undefined;
    for await (const event of engine.generate(request, stop.signal)) {
      last = event;
      if (event.type === "stage" && event.stage === "vision" && ++tiles === 3) stop.abort();
    }
    expect(tiles).toBe(3); // of five
    expect(last).toMatchObject({ type: "done", reason: "abort" });
    expect(runtime.aliveTensors).toBe(alive);
  });
});

test("on WASM the answers about pictures in tiles are those of Node", async () => {
  const runtimeUrl = new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url).href;
  for (const family of ["llava-1.6-mistral", "llava-onevision"]) {
    const node = await load(family);
    const wasm = await load(family, await createWasmRuntime({ runtimeUrl }));
    for (const messages of [[user(picture(80))], [user(picture(70), picture(40, "q"))]]) {
      const { text } = await ask(node.engine, messages);
      expect((await ask(wasm.engine, messages)).text).toBe(text);
      expect(text).not.toBe("");
    }
    await node.engine.dispose();
    await wasm.engine.dispose();
  }
});

test("OneVision sees one picture in tiles, and several as a square each", async () => {
  const { engine } = await load("llava-onevision");
  const alone = await ask(engine, [user(picture(80))]);
  expect(alone.done.usage.imageTokens).toBe(9 + 4 * 10); // 3 × 2 tiles without their black lines
  const several = await ask(engine, [user(picture(80), picture(40, "q"))]);
  expect(several.done.usage.imageTokens).toBe(2 * 10);
  const again = await ask(engine, [user(picture(80), picture(40, "r"))]);
  expect(again.done.usage.cachedTokens).toBeGreaterThan(10);
  await engine.dispose();
});
