// Files as people have them, brought together on a board: what they are taken for, what pairs, and what is found by the filters.
import { describe, expect, test } from "vitest";
import { makeBoard, type Board } from "./board.ts";
import { everything, filterItems, marksOf } from "./filter.ts";
import { kindOf, openText, type Opened } from "./open.ts";
import { rightness } from "./rightness.ts";
import { tally } from "./tally.ts";

const lines = (...rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

async function open(files: Readonly<Record<string, string>>): Promise<Board> {
  const opened: Opened[] = [];
  for (const [name, text] of Object.entries(files)) {
    const one = await openText(text, name);
    if (!one) throw new Error(`${name} was not opened`);
    opened.push(one);
  }
  return makeBoard(opened);
}

const questions = lines(
  { question_id: 1, image: "a.jpg", text: "Is there a dog?", category: "adversarial", label: "yes" },
  { question_id: 2, image: "a.jpg", text: "Is there a cat?", category: "random", label: "no" },
  { question_id: 3, image: "b.jpg", text: "Is there a cow?", category: "random", label: "no" },
);
const answers = (model: string, ...texts: readonly string[]): string =>
  lines(...texts.map((text, i) => ({ question_id: i + 1, prompt: "…", text, answer_id: `${model}${i + 1}`, model_id: model }))); // prettier-ignore

describe("what a file is, is told by what is in it", () => {
  test.each([
    ["questions", questions],
    ["questions", '\uFEFF{"question_id":1,"text":"Q?","category":"conv"}\r\n'],
    ["questions", '[{"id":"1","conversations":[{"value":"Q"}]}]'],
    ["questions", '[{"img_path":"a.jpg","question":"Q","candidates":["x"]}]'],
    ["table", "index\tquestion\tA\tB\timage\n1\tQ\tx\ty\taGk=\n"],
    ["answers", answers("m", "Yes")],
    ["answers", '{"question_id": 1, "text": "yes"}\n'],
    ["answers", '[{"questionId": "1", "prediction": "yes"}]'],
    ["reviews", '{"question_id":1,"tuple":[8,6],"content":"8 6"}\n'],
    ["votes", JSON.stringify({ version: 1, votes: [{ at: 1 }] }, undefined, 1)],
    ["votes", lines({ tstamp: 1, type: "vote", models: ["a", "b"], question: "Q", answers: ["x", "y"], verdict: 0 })],
    ["votes", lines({ tstamp: 1, type: "flag", model: "a", state: [] })],
    ["unknown", '{"name":"package"}'],
    ["unknown", "hello"],
  ])("%s: %#", (kind, text) => {
    expect(kindOf(text)).toBe(kind);
  });

  test("a table's questions have their pictures with them", async () => {
    const { items } = await open({ "m.tsv": "index\tquestion\tA\tB\timage\n7\tWhich?\tx\ty\taGk=\n" });
    expect(items).toMatchObject([{ id: "7", picture: { kind: "bytes", base64: "aGk=" } }]);
  });
});

describe("a board", () => {
  test("has each model's answer to each question, right or wrong", async () => {
    const board = await open({ "q.jsonl": questions, "a.jsonl": answers("a", "Yes.", "No, it is not.", "Yes"), "b.jsonl": answers("b", "No", "No", "No") }); // prettier-ignore
    expect(board.columns).toEqual([{ name: "a", isFile: true }, { name: "b", isFile: true }]); // prettier-ignore
    expect(board.items.map((item) => item.answers.map((answer) => answer?.right))).toEqual([[1, 0], [1, 1], [0, 1]]); // prettier-ignore
    expect(tally(board, board.items)).toMatchObject([
      { answers: 3, right: expect.closeTo(200 / 3) as number },
      { answers: 3 },
    ]);
    expect(board.categories).toEqual(["adversarial", "random"]);
    expect(board.problems).toEqual([]);
  });

  test("counts what does not pair: missing, unknown, and repeated answers, and reviews of nothing", async () => {
    const own = lines({ question_id: 1, text: "a", model_id: "m" }, { question_id: 1, text: "b", model_id: "m" }, { question_id: 9, text: "c", model_id: "m" }); // prettier-ignore
    const reviews = lines({ question_id: 9, tuple: [1, 2], content: "1 2" }, { question_id: 2, tuple: [5, 2], content: "5 2" }); // prettier-ignore
    const { problems, items } = await open({ "q.jsonl": questions, "own.jsonl": own, "r.jsonl": reviews });
    expect(problems).toEqual([
      { kind: "unknown-answers", file: "own.jsonl", count: 1, of: 3 },
      { kind: "repeated-answers", file: "own.jsonl", count: 1 },
      { kind: "missing-answers", file: "own.jsonl", count: 2, of: 3 },
      { kind: "unknown-reviews", file: "r.jsonl", count: 1, of: 2 },
    ]);
    expect(items[0]?.answers[0]?.text).toBe("b");
    expect([...(items[1]?.marks ?? [])].sort()).toEqual(["unanswered", "worse"]);
  });

  test("says of damaged files what the command line says, with counts", async () => {
    const { problems } = await open({ "x.jsonl": `${answers("m", "Yes", "No")}hm\n{"question_id":3}\n{"q` });
    expect(problems).toEqual([
      { kind: "cut", file: "x.jsonl" },
      { kind: "broken", file: "x.jsonl", count: 1, first: 3 },
      { kind: "no-answer-fields", file: "x.jsonl", count: 1, first: 4 },
    ]);
    await expect(openText(`${questions}{"q`, "q.jsonl")).rejects.toThrow(/cut off in its last line/);
  });

  test("is made of the prompts where there is no question file; one id may have several prompts", async () => {
    const mme = (model: string): string =>
      lines(
        { question_id: "x.png", prompt: "Is it 1?", text: "Yes", model_id: model },
        { question_id: "x.png", prompt: "Is it 2?", text: "No", model_id: model },
      );
    const { items, problems } = await open({ "a.jsonl": mme("a"), "b.jsonl": mme("b") });
    expect(items.map(({ text, answers: both }) => [text, ...both.map((answer) => answer?.text)])).toEqual([["Is it 1?", "Yes", "Yes"], ["Is it 2?", "No", "No"]]); // prettier-ignore
    expect(problems).toEqual([]);
  });

  test("gives a judge's scores to the answers that the review names, in either order", async () => {
    const review = { question_id: 1, answer1_id: "r1", answer2_id: "c1", category: "conv", content: "8 6\nwhy" };
    const board = await open({
      "r.jsonl": answers("r", "long"),
      "c.jsonl": answers("c", "short"),
      "reviews.jsonl": lines({ ...review, tuple: [8, 6] }),
      "swapped.jsonl": lines({ ...review, tuple: [7, 7], swapped: true }),
    });
    expect(board.items[0]?.answers.map((answer) => answer?.score)).toEqual([7.5, 6.5]);
    expect([...(board.items[0]?.answers[1]?.marks ?? [])]).toEqual(["worse", "equal"]);
    expect(board.items[0]?.category).toBe("conv");
    expect(tally(board, board.items)[1]?.relative).toBeCloseTo((100 * 13) / 15);
  });

  test("holds votes and flags of the chat", async () => {
    const vote = { at: 1, question: "Which?", pictures: 1, answers: [{ model: "a", text: "x" }, { model: "b", text: "y" }], verdict: 1 }; // prettier-ignore
    const flag = { tstamp: 1, type: "flag", model: "a", state: [{ from: "human", value: "Q1" }, { from: "gpt", value: "A1" }, { from: "human", value: "Q2" }, { from: "gpt", value: "A2" }] }; // prettier-ignore
    const board = await open({ "v.json": JSON.stringify({ version: 1, votes: [vote, { ...vote, verdict: "tie" }] }), "f.jsonl": lines(flag) }); // prettier-ignore
    expect([...marksOf(board, undefined)]).toEqual([["won", 1], ["lost", 1], ["undecided", 1], ["flag", 1]]); // prettier-ignore
    expect(board.items[2]).toMatchObject({ text: "Q2", earlier: ["Q1", "A1"] });
    const won = filterItems(board, { ...everything, column: 1, mark: "won" });
    expect(won.map(({ place }) => place)).toEqual([0]);
  });
});

describe("the list", () => {
  const files = { "q.jsonl": questions, "a.jsonl": answers("a", "Yes", "No", "Yes"), "b.jsonl": answers("b", "Yes", "No, it is not", "No") }; // prettier-ignore

  test("begins with what the models disagree on: right against wrong before other words", async () => {
    const board = await open(files);
    expect(filterItems(board, everything).map(({ id }) => id)).toEqual(["3", "2", "1"]);
    expect(filterItems(board, { ...everything, order: "file" }).map(({ id }) => id)).toEqual(["1", "2", "3"]);
    expect(filterItems(board, { ...everything, order: "lowest", column: 0 }).map(({ id }) => id)).toEqual(["3", "1", "2"]); // prettier-ignore
  });

  test("is filtered by words, category, model and result", async () => {
    const board = await open(files);
    const ids = (filter: Partial<typeof everything>): string[] =>
      filterItems(board, { ...everything, order: "file", ...filter }).map(({ id }) => id);
    expect(ids({ search: "IS not cat" })).toEqual(["2"]);
    expect(ids({ category: "random" })).toEqual(["2", "3"]);
    expect(ids({ mark: "wrong" })).toEqual(["3"]);
    expect(ids({ mark: "wrong", column: 1 })).toEqual([]);
    expect(ids({ mark: "flag" })).toEqual([]);
  });

  test("of 10,000 questions and four models is made and filtered", async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({ question_id: i, image: `${i % 500}.jpg`, text: `Is it ${i}?`, label: i % 2 ? "yes" : "no" })); // prettier-ignore
    const of = (model: string, step: number): string => lines(...many.map(({ question_id, text }) => ({ question_id, prompt: text, text: question_id % step ? "Yes" : "No", model_id: model }))); // prettier-ignore
    const board = await open({ "q.jsonl": lines(...many), "a.jsonl": of("a", 2), "b.jsonl": of("b", 3), "c.jsonl": of("c", 5), "d.jsonl": of("d", 7) }); // prettier-ignore
    expect(board.items).toHaveLength(10_000);
    expect(filterItems(board, { ...everything, search: "9999" }).map(({ id }) => id)).toEqual(["9999"]);
    expect(filterItems(board, { ...everything, mark: "wrong", column: 0 })).toEqual([]);
  });
});

test.each([
  ["Yes, there is.", ["yes"], 1],
  ["Yesterday", ["yes"], 0],
  ["A. red", ["A"], 1],
  ["A cat", ["A"], 0],
  ["(b)", ["B"], 1],
  ["Two cats.", ["2 cats"], 1],
  ["Below the spider.", ["above", "below"], 1],
  ["The spider is below.", ["below"], 0],
  ["", ["none"], 0],
  ["red", [...Array<string>(2).fill("red"), ...Array<string>(8).fill("blue")], (8 * 2 + 2) / 30],
])("how right %j is where %j is right", (answer, references, right) => {
  expect(rightness(answer, references)).toBeCloseTo(right);
});
