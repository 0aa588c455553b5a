import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine, type Engine } from "./engine.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { answer, assistant, picture, request, tinyPackage, user } from "#testing/tiny-package.node.ts";
import type { Part } from "./types.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let tiny: Awaited<ReturnType<typeof tinyPackage>>;
let fresh: Engine;
let red: Part;
let blue: Part;
const runtime = createNodeRuntime();
/** An engine that has seen nothing yet. */
const open = (prefillChunk?: number): Promise<Engine> =>
  createEngine({ runtime, ...tiny, decodeImage, ...(prefillChunk === undefined ? {} : { prefillChunk }) });

beforeAll(async () => {
  tiny = await tinyPackage();
  [red, blue] = [await picture("red"), await picture("blue")];
  fresh = await open();
});
afterAll(() => fresh.dispose());

test("what was prepared is not computed again, and the answer is the same", async () => {
  const asked = request([user("What is this, if it is anything?", red)], { maxNewTokens: 48 });
  const expected = await answer(fresh, asked);
  const engine = await open();
  for (const typed of ["", "What", "What is thus", "What is this, if"]) {
    await engine.prepare(request([user(typed, red)]));
  }
  const got = await answer(engine, asked);
  expect(got.text).toBe(expected.text);
  expect(got.done.timings.visionMs).toBe(0);
  const { cachedTokens, promptTokens } = got.done.usage;
  expect(cachedTokens).toBe(promptTokens - "it is anything? ASSISTANT:".length);
  await engine.dispose();
});

test("another picture, another history or another mode than prepared changes no answer", async () => {
  const engine = await open();
  await engine.prepare(request([user("One?", blue), assistant("Two."), user("Three?")]));
  for (const asked of [
    request([user("One?", red)]),
    request([user("One?", blue)], { imageMode: "crop" }),
    request([user("One?", blue), assistant("Four."), user("Three?")]),
    request([user("One?", blue), assistant("Two."), user("Three?", red)]),
  ]) {
    await engine.prepare(request([...asked.messages.slice(0, -1), user("Thr", red)]));
    expect((await answer(engine, asked)).text).toBe((await answer(fresh, asked)).text);
  }
  await engine.dispose();
});

test("a picture that can't be opened fails it, and the next answer is right", async () => {
  const engine = await open();
  const broken: Part = { type: "image", blob: new Blob(["no picture"]) };
  await expect(engine.prepare(request([user("What?", broken)]))).rejects.toThrow();
  const asked = request([user("What?", red)]);
  expect((await answer(engine, asked)).text).toBe((await answer(fresh, asked)).text);
  await engine.dispose();
});
