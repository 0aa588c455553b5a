import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createDraftBudget, createDrafter } from "./drafts.ts";
import { createEngine, type Engine } from "#engine/engine.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";
import { answer, assistant, greedy, picture, request, tinyPackage, user } from "#testing/tiny-package.node.ts";
import type { GenerateRequest } from "#engine/types.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe("guesses", () => {
  test("go on as it went on after the same three tokens, as far as there is room", () => {
    const drafter = createDrafter([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    drafter.push(2);
    drafter.push(3);
    expect(drafter.draft(9, 0.4)).toEqual([]);
    drafter.push(4);
    expect(drafter.draft(9, 0.4)).toEqual([5, 6, 7, 8]);
    expect(drafter.draft(2, 0.4)).toEqual([5, 6]);
    expect(drafter.draft(0, 0.4)).toEqual([]);
    expect(drafter.draft(-1, 0.4)).toEqual([]);
  });

  test("take the last place where it was said", () => {
    const drafter = createDrafter([1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3]);
    expect(drafter.draft(1, 0.4)).toEqual([5]);
  });

  test("never are a picture's rows, nor look at them", () => {
    const drafter = createDrafter([1, 2, 3, 4, -1, -1, -1, -1, 5, 1, 2, 3]);
    expect(drafter.draft(9, 0.4)).toEqual([4]);
    expect(createDrafter([-1, -1, -1, -1, -1, -1]).draft(9, 0.4)).toEqual([]);
  });

  test("are longer where more was the same and where rows are cheap, and shorter after they failed", () => {
    const line = Array.from({ length: 40 }, (_, i) => i);
    const drafter = createDrafter([...line, 0, 1, 2]);
    expect(drafter.draft(99, 0.4)).toHaveLength(4);
    expect(drafter.draft(99, 0.1)).toHaveLength(16);
    expect(drafter.draft(99, 1)).toEqual([]);
    for (const token of [3, 4, 5]) drafter.push(token);
    expect(drafter.draft(99, 0.4)).toHaveLength(9);
    drafter.tell(1, 9);
    expect(drafter.draft(99, 0.4).length).toBeLessThan(8);
  });

  test("pause ever longer when they don't come true", () => {
    const line = Array.from({ length: 40 }, (_, i) => i);
    const drafter = createDrafter([...line, 0, 1, 2]);
    expect(drafter.draft(99, 0.1)).toHaveLength(16);
    drafter.tell(0, 16);
    const pauses: number[] = [];
    for (let failure = 0; failure < 3; failure++) {
      let pause = 0;
      while (drafter.draft(99, 0.1).length === 0) pause++;
      pauses.push(pause);
      drafter.tell(0, 4);
    }
    expect(pauses).toEqual([4, 8, 16]);
  });
});

describe("the budget of guesses", () => {
  const known = () => {
    const budget = createDraftBudget();
    for (let i = 0; i < 9; i++) budget.plain(10);
    return budget;
  };
  /** Steps of one token until guesses are allowed again. */
  const pause = (budget: ReturnType<typeof createDraftBudget>): number => {
    let steps = 0;
    while (!budget.allows) {
      budget.plain(10);
      steps++;
    }
    return steps;
  };

  test("knows first how long a step takes", () => {
    const budget = createDraftBudget();
    expect(budget.allows).toBe(false);
    expect(pause(budget)).toBe(3);
  });

  test("lets wrong ones lose less than three steps in a hundred", () => {
    const budget = known();
    let [time, tokens] = [0, 0];
    while (tokens < 1000) {
      if (budget.allows) {
        budget.drafted(0, 4, 25);
        time += 25;
      } else {
        budget.plain(10);
        time += 10;
      }
      tokens++;
    }
    expect(time).toBeGreaterThan(10_000);
    expect(time).toBeLessThan(10_300);
  });

  test("goes on with right ones, but not where rows cost as much as steps of their own", () => {
    const cheap = known();
    for (let i = 0; i < 50; i++) cheap.drafted(3, 4, 25);
    expect(cheap.allows).toBe(true);
    const dear = known();
    for (let i = 0; i < 50; i++) if (dear.allows) dear.drafted(4, 4, 60);
    expect(dear.allows).toBe(false);
  });

  test("learns what a row costs", () => {
    const budget = known();
    for (let i = 0; i < 20; i++) budget.drafted(4, 4, 12);
    expect(budget.rowCost).toBeCloseTo(0.05, 2);
    for (let i = 0; i < 20; i++) budget.drafted(4, 4, 30);
    expect(budget.rowCost).toBeCloseTo(0.5, 2);
  });

  test("takes one hiccup for no measurement, and does not hold it against them for ever", () => {
    const budget = known();
    for (let i = 0; i < 50; i++) budget.drafted(4, 4, 20);
    budget.drafted(0, 4, 5000);
    expect(pause(budget)).toBeLessThan(401);
  });
});

const wasmFolder = new URL("../../../node_modules/onnxruntime-web/dist/", import.meta.url).href;

describe.each([
  ["Node", (): Promise<Runtime> => Promise.resolve(createNodeRuntime())],
  ["WASM", (): Promise<Runtime> => createWasmRuntime({ runtimeUrl: wasmFolder })],
])("answers with guesses on %s are those without", (_, makeRuntime) => {
  let runs = 0;
  let plain: Engine;
  let guessing: Engine;
  let asked: Record<string, GenerateRequest>;
  beforeAll(async () => {
    const runtime = await makeRuntime();
    const counting: Runtime = {
      ...runtime,
      read(tensor) {
        runs++;
        return runtime.read(tensor);
      },
    };
    const tiny = await tinyPackage();
    const red = await picture("red");
    plain = await createEngine({ runtime: counting, ...tiny, decodeImage, drafts: false });
    // This model is so small that guesses seldom pay.
    guessing = await createEngine({ runtime: counting, ...tiny, decodeImage, drafts: "always" });
    const long = { maxNewTokens: 96 };
    const sampling = { ...greedy, temperature: 0.7, seed: 5 };
    asked = {
      greedy: request([user("What is this?", red)], long),
      "greedy, a later turn": request([user("One?", red), assistant("One two three four"), user("Two?")], long),
      "drawn with a seed": request([user("Draw", red)], { ...long, sampling }),
      "with a penalty for repetition": request([user("Again", red)], {
        ...long,
        sampling: { ...greedy, repetitionPenalty: 1.2 },
      }),
      "of one token": request([user("Short", red)], { maxNewTokens: 1 }),
      "until the memory is full": request([user("x".repeat(250))], { maxNewTokens: 400 }),
    };
  });
  afterAll(async () => {
    await plain.dispose();
    await guessing.dispose();
  });

  test.each([
    "greedy",
    "greedy, a later turn",
    "drawn with a seed",
    "with a penalty for repetition",
    "of one token",
    "until the memory is full",
  ])("%s", async (name) => {
    const one = asked[name];
    if (!one) throw new Error("no such request");
    const expected = await answer(plain, one);
    const got = await answer(guessing, one);
    expect(got.text).toBe(expected.text);
    expect(got.done).toMatchObject({ reason: expected.done.reason, usage: expected.done.usage });
    // The cache may hold guesses that were wrong; the next answer must not see them.
    expect((await answer(guessing, one)).text).toBe(expected.text);
  });

  test("a stop string within a guess ends the answer in the same place", async () => {
    const one = asked["greedy"];
    if (!one) throw new Error("no such request");
    const { text } = await answer(plain, one);
    for (const at of [20, 41, 63]) {
      const stopping = { ...one, stop: [text.slice(at, at + 3)] };
      expect((await answer(guessing, stopping)).text).toBe((await answer(plain, stopping)).text);
    }
  });

  test("and take fewer runs where an answer repeats itself", async () => {
    const one = asked["until the memory is full"];
    if (!one) throw new Error("no such request");
    await answer(plain, one);
    runs = 0;
    await answer(plain, one);
    const without = runs;
    await answer(guessing, one);
    runs = 0;
    await answer(guessing, one);
    expect(runs).toBeLessThan(without / 1.5);
  });
});
