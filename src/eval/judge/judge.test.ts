// Reviews against the fake server: what the judge is sent, what is read from its words, stops, swapped order.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startFakeServer, type FakeServer } from "#testing/servers/fake-server.node.ts";
import { judgeAnswers, type JudgeSummary } from "./judge.node.ts";
import { judgeSystem, readScores, reviewTasks } from "./review.ts";
import { rules } from "./rules.ts";

const lines = (...rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const files = {
  questions: lines(
    { question_id: 0, image: "1.jpg", text: "What is it?", category: "conv" },
    { question_id: 1, image: "1.jpg", text: "Why?", category: "complex" },
  ),
  context: lines({ id: 1, image: "1.jpg", caption: ["A dog.", "On grass."] }),
  reference: lines(
    { question_id: 0, text: "A dog.", answer_id: "r0" },
    { question_id: 1, text: "It plays.", answer_id: "r1" },
  ),
  candidate: lines(
    { question_id: 1, text: "Fun.", answer_id: "c1" },
    { question_id: 0, text: "A cat.", answer_id: "c0" },
  ),
};

describe("what the judge is sent", () => {
  test("LLaVA's blocks in their order, the reference first", () => {
    const [first] = reviewTasks(files);
    expect(first).toMatchObject({ questionId: 0, answerIds: ["r0", "c0"], category: "llava_bench_conv" });
    expect(first?.content(false)).toBe(
      "[Context]\nA dog.\nOn grass.\n\n[Question]\nWhat is it?\n\n" +
        "[Assistant 1]\nA dog.\n\n[End of Assistant 1]\n\n[Assistant 2]\nA cat.\n\n[End of Assistant 2]\n\n" +
        `[System]\n${rules.get("llava_bench_conv") ?? ""}\n\n`,
    );
    expect(first?.content(true)).toContain("[Assistant 1]\nA cat.");
  });

  test("boxes after a blank line, with the rule that explains them", () => {
    const instances = [{ category: "dog", bbox: [0.1, 0.2, 0.5, 0.75] }];
    const [first] = reviewTasks({ ...files, context: lines({ image: "1.jpg", captions: ["A dog."], instances }) });
    expect(first?.category).toBe("conv");
    expect(first?.content(false)).toContain("[Context]\nA dog.\n\ndog: [0.1, 0.2, 0.5, 0.75]\n\n[Question]");
    expect(rules.get("conv")).toContain("(x1, y1, x2, y2)");
  });

  test("what is missing is said", () => {
    expect(() => reviewTasks({ ...files, candidate: lines({ question_id: 0, text: "x" }) })).toThrow("The candidate's answers lack question 1."); // prettier-ignore
    expect(() => reviewTasks({ ...files, context: lines({ image: "2.jpg", caption: ["x"] }) })).toThrow(
      /describes no picture 1.jpg/,
    );
    expect(() => reviewTasks({ ...files, reference: '{"question_id": 0, "te' })).toThrow(/its last line is cut off/);
  });
});

test.each([
  ["8 7\nBoth are good.", [8, 7]],
  ["8.5, 7", [-1, -1]], // a comma and a space make three parts, as in the original
  ["8,7", [8, 7]],
  ["Assistant 1: 8", [-1, -1]],
  ["8/10 7/10", [-1, -1]],
  ["", [-1, -1]],
])("scores of %j are %j", (text, wanted) => {
  expect(readScores(text)).toEqual(wanted);
});

describe("a run of reviews", () => {
  let folder: string;
  let server: FakeServer;
  let asked: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "judge-"));
    asked = [];
    server = await startFakeServer({
      models: ["judge"],
      answer: (question) => {
        asked.push(question);
        return question.includes("Why?") ? "I cannot say." : "8 4\nThe second is wrong.";
      },
    });
  });
  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  const judge = (name: string, swapped = false, count = 2): Promise<JudgeSummary> =>
    judgeAnswers({
      server: { url: server.url },
      model: { id: "judge", kind: "other" },
      tasks: reviewTasks(files).slice(0, count),
      file: join(folder, name),
      swapped,
      maxTokens: 100,
      waitsMs: [1],
      onReview: () => undefined,
      signal: new AbortController().signal,
    });
  const read = async (name: string): Promise<unknown[]> =>
    (await readFile(join(folder, name), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as unknown); // prettier-ignore

  test("writes LLaVA's lines, goes on where it stopped, and tells scores that it cannot read", async () => {
    expect(await judge("r.jsonl", false, 1)).toMatchObject({ asked: 1, unread: 0 });
    expect(await judge("r.jsonl")).toMatchObject({ before: 1, asked: 1, unread: 1 });
    expect(asked).toHaveLength(2);
    expect(await read("r.jsonl")).toEqual([
      { id: 1, question_id: 0, answer1_id: "r0", answer2_id: "c0", category: "llava_bench_conv", content: "8 4\nThe second is wrong.", tuple: [8, 4] },
      { id: 2, question_id: 1, answer1_id: "r1", answer2_id: "c1", category: "llava_bench_complex", content: "I cannot say.", tuple: [-1, -1] },
    ]); // prettier-ignore
    expect(JSON.stringify(server.requests.at(-1)?.body)).toContain(judgeSystem);
  });

  test("swapped, the scores are still the reference's and the candidate's, and orders are not mixed", async () => {
    await judge("s.jsonl", true, 1);
    expect(await read("s.jsonl")).toMatchObject([{ tuple: [4, 8], swapped: true }]);
    await expect(judge("s.jsonl", false)).rejects.toThrow(/holds reviews in swapped order/);
  });

  test("a request that fails is tried again, and not for ever", async () => {
    server.fail({ type: "status", status: 500, body: "{}" });
    expect(await judge("t.jsonl", false, 1)).toMatchObject({ asked: 1 });
    server.fail({ type: "status", status: 500, body: "{}" });
    server.fail({ type: "status", status: 500, body: "{}" });
    await expect(judge("u.jsonl", false, 1)).rejects.toThrow();
  });
});
