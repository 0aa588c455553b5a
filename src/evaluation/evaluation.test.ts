// A run in the page, with an asker that only counts: what it asks after a pause, a failure and a reload, and how its answers are scored.
import { expect, test } from "vitest";
import { NotAnswered, type Asked } from "#eval/run/asker.ts";
import type { GivenFile } from "#eval/files/given-files.ts";
import { createEvaluation, type Evaluation } from "./evaluation.ts";
import type { RunStore, StoredAnswer, StoredRun } from "./run-store.ts";

/** A store in memory, which outlives a page. */
function memoryStore(): RunStore {
  let run: StoredRun | undefined;
  let answers = new Map<number, StoredAnswer>();
  let pictures = new Map<string, Blob>();
  return {
    read: () => Promise.resolve(run && { run, answers: new Map(answers) }),
    begin(next) {
      run = next;
      answers = new Map();
      pictures = new Map();
      return Promise.resolve();
    },
    note: (next) => Promise.resolve(void (run = next)),
    add: (place, answer) => Promise.resolve(void answers.set(place, answer)),
    keepPictures(given) {
      pictures = new Map(given);
      return Promise.resolve(true);
    },
    picture: (path) => Promise.resolve(pictures.get(path)),
    clear() {
      run = undefined;
      return Promise.resolve();
    },
  };
}

function page(store: RunStore, answer: (asked: Asked) => string | Promise<string>): Evaluation {
  return createEvaluation({
    store,
    firstModelId: "m",
    now: () => 0,
    open: () => Promise.resolve({ ask: async (asked) => answer(asked), close: () => Promise.resolve() }),
  });
}

const file = (path: string, text: string): GivenFile => ({ path, blob: new Blob([text]) });
const questions = ["a", "b", "a", "c"].map((image, i) => `${JSON.stringify({ question_id: i, image: `${image}.png`, text: `Q${i}`, label: i % 2 ? "no" : "yes" })}\n`).join(""); // prettier-ignore
const pictures = ["a", "b"].map((name) => file(`folder/${name}.png`, name));

test("questions about one picture come together; what is missing is noted; a reload asks only what is left", async () => {
  const store = memoryStore();
  const asked: string[] = [];
  const first = page(store, ({ text }) => {
    asked.push(text);
    if (asked.length === 2) first.pause();
    return "Yes.";
  });
  await first.give([file("q.jsonl", questions), ...pictures]);
  expect(first.get()).toMatchObject({ phase: "ready", pictures: 2 });
  await first.start();
  expect(asked).toEqual(["Q0", "Q2"]);
  expect(first.get().phase).toBe("paused");

  // The page's files are gone with it: pictures come from the store.
  const second = page(store, async ({ text, picture }) => {
    asked.push(`${text} ${(await picture?.text()) ?? ""}`);
    return "No.";
  });
  await second.restore();
  expect(second.get()).toMatchObject({ phase: "paused", modelId: "m" });
  await second.start();
  expect(asked.slice(2)).toEqual(["Q1 b"]);
  expect(second.get().phase).toBe("done");
  expect(second.get().figures?.[0]).toMatchObject({ name: "accuracy", value: 75, items: 4 });
  const lines = second.lines().trim().split("\n").map((line) => JSON.parse(line) as { question_id: number; text: string; metadata: object }); // prettier-ignore
  expect(lines.map(({ question_id, text }) => [question_id, text])).toEqual([[0, "Yes."], [1, "No."], [2, "Yes."], [3, ""]]); // prettier-ignore
  expect(lines[3]?.metadata).toEqual({ error: "no picture: c.png" });
});

test("a run that was running goes on by itself; failures of the model stop it with its words, and of one question do not", async () => {
  const store = memoryStore();
  let fails = true;
  const first = page(store, ({ text }) => {
    if (text === "Q1" && fails) throw new Error("out of memory");
    if (text === "Q2") throw new NotAnswered("bad-image: broken");
    return "Yes";
  });
  await first.give([file("q.jsonl", questions), ...pictures, file("c.png", "c")]);
  await first.start();
  expect(first.get()).toMatchObject({ phase: "paused", trouble: { kind: "stopped", detail: "out of memory" } });
  fails = false;
  const kept = await store.read();
  if (kept) await store.note({ ...kept.run, running: true });
  const second = page(store, () => "Yes");
  await second.restore();
  // The question that failed alone was asked again.
  expect(second.get()).toMatchObject({ phase: "done" });
  expect([...second.get().answers.values()].filter(({ error }) => error !== undefined)).toEqual([]);
});

test("a benchmark's folder is known by its files and scored by its scorer; without pictures nothing starts", async () => {
  const lines = [{ question_id: 1, image: "1.jpg", text: "Dog?", category: "random" }, { question_id: 2, image: "1.jpg", text: "Cat?", category: "random" }]; // prettier-ignore
  const folder = [
    file("pope/llava_pope_test.jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join("")),
    file("pope/coco/coco_pope_random.json", '{"label":"yes"}\n{"label":"no"}\n'),
  ];
  const own = page(memoryStore(), ({ text }) => (text === "Dog?" ? "Yes" : "No"));
  await own.give(folder);
  await own.start();
  expect(own.get().trouble).toEqual({ kind: "no-pictures", missing: 1, of: 1, example: "1.jpg" });
  await own.give([file("val2014/1.jpg", "x")]);
  await own.start();
  expect(own.get().chosen?.benchmark.id).toBe("pope");
  expect(own.get().figures?.[0]).toMatchObject({ name: "mean F1", value: 1 });
  await own.discard();
  expect(own.get()).toMatchObject({ phase: "empty", chosen: undefined });
});

test("what is no question file is said, and what is damaged in the reader's words", async () => {
  const own = page(memoryStore(), () => "");
  await own.give([file("x.json", "{}")]);
  expect(own.get().trouble).toEqual({ kind: "no-questions" });
  await own.give([file("q.jsonl", `${questions}{"q`)]);
  expect(own.get().trouble).toMatchObject({ kind: "damaged", detail: expect.stringContaining("cut off") as string });
});
