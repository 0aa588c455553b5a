// Runs with askers that answer by rule, on real files: order, stops, resumes, chunks, missing pictures.
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Question } from "#eval/benchmarks/benchmark.ts";
import { benchmarks } from "#eval/benchmarks/benchmarks.ts";
import { openAnswerStore } from "./answer-store.node.ts";
import { NotAnswered, type Asker } from "./asker.ts";
import { byPicture, chunkOf, type Placed } from "./order.ts";
import { pictureReader, readBenchmark } from "./read-benchmark.node.ts";
import { runQuestions, type RunProgress } from "./run.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "eval-run-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Six questions about three pictures; two have one id and prompt, as files of people may. */
const questions: Question[] = ["a", "b", "a", "c", "b", "a"].map((picture, i) => ({
  id: i === 5 ? 0 : i,
  text: i === 5 ? "Is it 0?" : `Is it ${i}?`,
  prompt: i === 5 ? "Is it 0?" : `Is it ${i}?`,
  picture: { kind: "file", path: `${picture}.jpg` },
}));

/** Asks what a store lacks; `asked` is told every question. */
async function run(
  file: string,
  options: { stopAfter?: number; askers?: number; asked?: string[]; list?: readonly Question[]; broken?: string } = {},
): Promise<RunProgress | undefined> {
  const list = options.list ?? questions;
  const store = await openAnswerStore(file, list, "model");
  const stop = new AbortController();
  let last: RunProgress | undefined;
  let count = 0;
  const asker: Asker = {
    ask({ text }) {
      options.asked?.push(text);
      if (++count === options.stopAfter) stop.abort(new Error("stopped"));
      if (text === options.broken) return Promise.reject(new NotAnswered("bad-image: not a picture"));
      return Promise.resolve(`yes ${text}`);
    },
    close: () => Promise.resolve(),
  };
  const todo = list
    .map((question, place): Placed => ({ place, question }))
    .filter(({ place }) => !store.answered.has(place));
  try {
    await runQuestions({
      groups: byPicture(todo),
      askers: new Array<Asker>(options.askers ?? 1).fill(asker),
      total: list.length,
      before: store.answered.size,
      prepare: ({ question }) => Promise.resolve({ text: question.text, maxNewTokens: 8 }),
      onAnswer: (place, text) => store.add(place, text),
      onNotAnswered: (place, reason) => store.addError(place, reason),
      onProgress: (progress) => (last = progress),
      signal: stop.signal,
    });
    await store.finish();
  } finally {
    store.close();
  }
  return last;
}

const linesOf = async (file: string): Promise<{ question_id: number; text: string; metadata: object }[]> =>
  (await readFile(file, "utf8")).trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as { question_id: number; text: string; metadata: object }); // prettier-ignore

test("questions are asked picture by picture and written in their order", async () => {
  const file = join(folder, "deep/answers.jsonl");
  const asked: string[] = [];
  await run(file, { asked });
  expect(asked).toEqual(["Is it 0?", "Is it 2?", "Is it 0?", "Is it 1?", "Is it 4?", "Is it 3?"]);
  expect((await linesOf(file)).map(({ question_id }) => question_id)).toEqual([0, 1, 2, 3, 4, 0]);
  await expect(readFile(`${file}.partial`)).rejects.toThrow("ENOENT");
});

describe("after a stop", () => {
  test("nothing is asked twice, however often a run stops, and the file is that of one run", async () => {
    const whole = join(folder, "whole.jsonl");
    await run(whole);
    const file = join(folder, "answers.jsonl");
    const asked: string[] = [];
    await expect(run(file, { asked, stopAfter: 2 })).rejects.toThrow("stopped");
    await expect(run(file, { asked, stopAfter: 1 })).rejects.toThrow("stopped");
    expect(await run(file, { asked, askers: 3 })).toMatchObject({ done: 6, total: 6 });
    expect(asked).toHaveLength(6);
    const texts = async (path: string): Promise<unknown> =>
      (await linesOf(path)).map(({ question_id, text }) => [question_id, text]);
    expect(await texts(file)).toEqual(await texts(whole));
    await run(file, { asked });
    expect(asked).toHaveLength(6);
  });

  test("what a killed process left of a line is asked again", async () => {
    const file = join(folder, "answers.jsonl");
    await expect(run(file, { stopAfter: 3 })).rejects.toThrow("stopped");
    await appendFile(`${file}.partial`, '{"question_id": 4, "prompt": "Is it 4?", "te');
    const asked: string[] = [];
    await run(file, { asked });
    expect(asked).toContain("Is it 4?");
    expect(await linesOf(file)).toHaveLength(6);
  });

  test("another model's answers and answers to other questions are not gone on with", async () => {
    const file = join(folder, "answers.jsonl");
    await writeFile(file, '{"question_id": 1, "prompt": "Is it 1?", "text": "yes", "model_id": "other"}\n');
    await expect(run(file)).rejects.toThrow(/holds answers of other, and this run is of model/);
    await writeFile(file, '{"question_id": 77, "prompt": "Where?", "text": "there"}\n');
    await expect(run(file)).rejects.toThrow(/holds no answers to these questions/);
  });
});

test("a question that cannot be answered has a reason in its line, and is asked again by the next run", async () => {
  const file = join(folder, "answers.jsonl");
  expect(await run(file, { broken: "Is it 3?" })).toMatchObject({ notAnswered: 1, done: 6 });
  expect((await linesOf(file))[3]).toMatchObject({ text: "", metadata: { error: "bad-image: not a picture" } });
  const asked: string[] = [];
  await run(file, { asked });
  expect(asked).toEqual(["Is it 3?"]);
  expect((await linesOf(file))[3]).toMatchObject({ text: "yes Is it 3?", metadata: {} });
});

test("chunks are LLaVA's: of whole length ⌈n / k⌉, the last ones shorter or empty", () => {
  const list = [0, 1, 2, 3, 4];
  expect([0, 1, 2, 3].map((k) => chunkOf(list, 4, k))).toEqual([[0, 1], [2, 3], [4], []]);
});

describe("files", () => {
  const pope = benchmarks.find(({ id }) => id === "pope");
  const line = (image: string): string => `${JSON.stringify({ question_id: image, image, text: "Is it?" })}\n`;

  test("are found in the benchmark's folder or in the one above, and a missing one is named with where it comes from", async () => {
    if (!pope) throw new Error("no pope");
    const places = { data: folder, allRounds: false };
    await expect(readBenchmark(pope, places)).rejects.toThrow(
      /there is no llava_pope_test.jsonl in .* It comes with eval.zip/,
    );
    await mkdir(join(folder, "pope/val2014"), { recursive: true });
    await writeFile(join(folder, "pope/llava_pope_test.jsonl"), line("1.jpg"));
    const above = await readBenchmark(pope, places);
    expect(above.questions).toHaveLength(1);
    expect((await readBenchmark(pope, { ...places, data: join(folder, "pope") })).pictures).toBe(above.pictures);
    await rm(join(folder, "pope/val2014"), { recursive: true });
    await expect(readBenchmark(pope, places)).rejects.toThrow(/The pictures of POPE are missing.*COCO's val2014.zip/);
  });

  test("a missing picture is noted; a folder with none of them is the wrong one", async () => {
    if (!pope) throw new Error("no pope");
    await writeFile(join(folder, "here.jpg"), "picture");
    const [here, gone] = pope.parse(line("here.jpg") + line("gone.jpg"), { split: "", allRounds: false });
    if (!here || !gone) throw new Error("no questions");
    const reader = pictureReader(pope, folder);
    expect(await (await reader.read(here))?.text()).toBe("picture");
    await expect(reader.read(gone)).rejects.toThrow(/^missing picture: gone.jpg is not at/);
    await reader.checkFirst([gone, here]);
    await expect(reader.checkFirst([gone])).rejects.toThrow(/None of the first 1 pictures of POPE is there/);
  });
});

test("one asker that fails stops the others, and says why", async () => {
  const failing: Asker = { ask: () => Promise.reject(new Error("the device is gone")), close: () => Promise.resolve() };
  const waiting: Asker = {
    ask: (_, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    close: () => Promise.resolve(),
  };
  const groups = byPicture(questions.map((question, place) => ({ place, question })));
  const never = (): void => undefined;
  const options = { groups, total: 6, before: 0, onAnswer: never, onNotAnswered: never, onProgress: never };
  const prepare = (): Promise<{ text: string; maxNewTokens: number }> => Promise.resolve({ text: "", maxNewTokens: 1 });
  const done = runQuestions({ ...options, askers: [waiting, failing], prepare, signal: new AbortController().signal });
  await expect(done).rejects.toThrow("the device is gone");
});
