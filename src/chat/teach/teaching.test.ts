import { beforeEach, describe, expect, test, vi } from "vitest";
import { EngineError } from "#engine/errors.ts";
import type { HeldOutAnswer, OnStop, Taught, TeachEvent, TeachExample } from "#worker/teach/teach-api.ts";
import type { Lesson, LessonResult } from "./lesson.ts";
import { createTeaching, type Pupil, type Teacher, type Teaching } from "./teaching.ts";

const pupil: Pupil = { id: "pocket", name: "Pocket", path: "models/pocket/" };
const lesson: Lesson = {
  id: "l",
  name: "Pets",
  kind: "things",
  question: "What is this?",
  cards: ["Mimi", "Rex"].map((answer) => ({
    id: answer,
    answer,
    question: "",
    pictures: ["1", "2"].map((n) => ({ id: `${answer}${n}`, name: `${n}.png`, key: `key ${answer}${n}` })),
  })),
  results: [],
  createdAt: 0,
  updatedAt: 0,
};
const blobs = new Map(lesson.cards.flatMap((card) => card.pictures.map(({ key }) => [key, new Blob([key])] as const)));
const answered = (id: string, words: string, right: boolean): HeldOutAnswer => ({
  id,
  asked: "What is this?",
  wanted: "Mimi",
  answered: words,
  right,
});

/** Says what it is told to say, step by step. */
class Script implements Teacher {
  events: TeachEvent[] = [];
  failure: Error | undefined;
  examples: readonly TeachExample[] = [];
  /** Nothing became better. */
  learnsNothing = false;
  /** Waits for the signal instead of ending. */
  endless = false;
  ended = 0;
  end = (): void => {
    this.ended++;
  };
  plan: Teacher["plan"] = ({ examples }) => {
    this.examples = examples;
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return Promise.resolve({
      problems: [],
      singles: [],
      heldOut: ["Mimi1"],
      choosing: [],
      trained: ["Mimi2"],
      bytes: 1e9,
      seconds: 90,
    });
  };
  teach: Teacher["teach"] = async (_request, onEvent, { signal, then }): Promise<Taught | undefined> => {
    for (const event of this.events) onEvent(event);
    if (this.failure !== undefined) throw this.failure;
    if (this.endless && !signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    if (this.learnsNothing || (signal.aborted && then() === "discard")) return undefined;
    const score = { right: 0, of: 1 };
    return {
      before: score,
      after: score,
      steps: 2,
      bestStep: 2,
      seconds: 61,
      stopped: signal.aborted,
      chosenByHeldOut: true,
      adapterId: "lora",
      bytes: 1,
    };
  };
}

let script: Script;
let results: LessonResult[];
let teaching: Teaching;
let free: boolean;
beforeEach(() => {
  script = new Script();
  results = [];
  free = true;
  teaching = createTeaching({
    teacher: script,
    blobs: () => blobs,
    keepResult: (_id, result) => results.push(result),
    listModels: () => Promise.resolve(),
    alone: async (work) => {
      if (free) await work();
      return free;
    },
    now: () => 5,
  });
});
const steps = (count: number): TeachEvent[] =>
  Array.from({ length: count }, (_, i) => ({
    type: "step",
    step: i + 1,
    steps: count,
    loss: 1 / (i + 1),
    asideLoss: i < 1 ? undefined : 0.5,
    secondsLeft: count - i,
  }));

describe("a teaching", () => {
  test("is planned with every picture that has an answer, and tells what is held out", async () => {
    await teaching.plan({ lesson, pupil, minutes: 3 });
    expect(teaching.get()).toMatchObject({
      phase: "planned",
      lessonId: "l",
      plan: { heldOut: ["Mimi1"], seconds: 90 },
    });
    expect(script.examples.map(({ id, turns }) => [id, turns[0]?.answer])).toEqual([
      ["Mimi1", "Mimi"],
      ["Mimi2", "Mimi"],
      ["Rex1", "Rex"],
      ["Rex2", "Rex"],
    ]);
    teaching.dismiss();
    expect([teaching.get(), script.ended]).toEqual([{ phase: "idle" }, 1]);
  });

  test("ends with a result that has each test picture before and after", async () => {
    script.events = [
      { type: "prepare", what: "pictures", done: 1, total: 4 },
      { type: "before", answers: [answered("Mimi1", "A cat", false)] },
      ...steps(300),
      { type: "saving" },
      { type: "after", answers: [answered("Mimi1", "Mimi", true)] },
    ];
    const seen: string[] = [];
    teaching.subscribe((state) => {
      if (state.phase === "running" && seen.at(-1) !== state.run.stage) seen.push(state.run.stage);
    });
    await teaching.start({ lesson, pupil, minutes: 3 });
    expect(seen).toEqual(["prepare", "before", "step", "saving", "after"]);
    expect(script.ended).toBe(1);
    expect(teaching.get()).toMatchObject({ phase: "done", result: { adapterId: "lora", seconds: 61, pictures: 4 } });
    expect(results[0]?.rows).toEqual([
      {
        key: "key Mimi1",
        asked: "What is this?",
        wanted: "Mimi",
        before: "A cat",
        beforeRight: false,
        after: "Mimi",
        afterRight: true,
      },
    ]);
    // Few enough points to be kept with the lesson, the first and the last among them.
    expect([results[0]?.curve.length, results[0]?.curve[0]?.step, results[0]?.curve.at(-1)?.step]).toEqual([
      120, 1, 300,
    ]);
  });

  test.each([
    ["keep", "done", 1],
    ["discard", "stopped", 0],
  ] as const)("that is stopped to %s is %s", async (then, phase, kept) => {
    script.endless = true;
    script.events = steps(2);
    const run = teaching.start({ lesson, pupil, minutes: 3 });
    teaching.stop(then satisfies OnStop);
    expect(teaching.get()).toMatchObject({ phase: "running", run: { stopping: then, step: 2 } });
    await run;
    expect(teaching.get().phase).toBe(phase);
    expect(results).toHaveLength(kept);
    expect(results.every(({ stopped }) => stopped)).toBe(true);
  });

  test("in which nothing became better leaves no result, and says so", async () => {
    script.learnsNothing = true;
    script.events = steps(5);
    await teaching.start({ lesson, pupil, minutes: 3 });
    expect([teaching.get().phase, results]).toEqual(["unlearned", []]);
  });

  test("that fails says why, and leaves no result", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    script.failure = new EngineError("worker-dead", "gone");
    await teaching.start({ lesson, pupil, minutes: 3 });
    expect(teaching.get()).toMatchObject({ phase: "failed", code: "worker-dead" });
    await teaching.plan({ lesson, pupil, minutes: 3 });
    expect(teaching.get()).toMatchObject({ phase: "failed", code: "worker-dead" });
    expect(results).toEqual([]);
    warn.mockRestore();
  });

  test("waits for another tab's, and is not begun twice in one", async () => {
    free = false;
    await teaching.start({ lesson, pupil, minutes: 3 });
    expect(teaching.get().phase).toBe("busy");
    free = true;
    script.endless = true;
    const run = teaching.start({ lesson, pupil, minutes: 3 });
    await teaching.start({ lesson: { ...lesson, id: "other" }, pupil, minutes: 3 });
    await teaching.plan({ lesson: { ...lesson, id: "other" }, pupil, minutes: 3 });
    teaching.dismiss();
    expect(teaching.get()).toMatchObject({ phase: "running", lessonId: "l" });
    teaching.stop("discard");
    await run;
  });
});
