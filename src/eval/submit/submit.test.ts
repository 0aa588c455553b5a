// Files to hand in, worked out by hand from LLaVA's converters.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { parseAnswers } from "#eval/files/answers.ts";
import { answerLines, memoryData } from "#testing/memory-data.ts";
import { makeSubmission, type Submission } from "./submissions.ts";
import { writeSubmission } from "./write-submission.node.ts";

async function submission(
  benchmark: string,
  answers: Parameters<typeof answerLines>[0],
  files: Record<string, unknown> = {},
): Promise<Submission> {
  const file = answerLines(answers);
  return makeSubmission(benchmark, {
    answers: parseAnswers(file.text, file.name),
    data: memoryData(files),
    split: "dev",
  });
}
const text = (made: Submission): string => (made.kind === "text" ? made.text : "");

test("VQAv2: every question of test2015 in its order, normalized; empty where there is no answer", async () => {
  const rows = [3, 1, 2].map((question_id) => ({ question_id, image: "a.jpg", text: "…" }));
  const made = await submission("vqav2", [[1, "Two cats."], [3, "é"]], { "llava_vqav2_mscoco_test2015.jsonl": rows }); // prettier-ignore
  expect(text(made)).toBe(
    '[{"question_id": 3, "answer": "\\u00e9"}, {"question_id": 1, "answer": "2 cats"}, {"question_id": 2, "answer": ""}]',
  );
});

test("VizWiz: by picture, and a missing answer is told", async () => {
  const rows = ["a", "b"].map((id) => ({ question_id: `${id}.jpg`, image: `${id}.jpg`, text: "…" }));
  const made = await submission("vizwiz", [["a.jpg", "Unanswerable"]], { "llava_test.jsonl": rows });
  expect(text(made)).toBe('[{"image": "a.jpg", "answer": "unanswerable"}, {"image": "b.jpg", "answer": ""}]');
  expect(made.notes).toEqual(["1 question of 2 has no answer in answers.jsonl: its answer is empty in the file."]);
});

test("GQA and MM-Vet: in the order of the answers", async () => {
  expect(text(await submission("gqa", [["07", "Yes.."]]))).toBe('[{"questionId": "07", "prediction": "yes"}]');
  expect(text(await submission("mm-vet", [[0, "x = 1"], [1, "ü"]]))).toBe('{\n  "v1_0": "x = 1",\n  "v1_1": "\\u00fc"\n}'); // prettier-ignore
});

test("SEED-Bench: a line per question with the id as the questions have it", async () => {
  const files = { "SEED-Bench.json": { questions: [{ question_id: "7" }, { question_id: "v1" }] } };
  const made = await submission("seed", [["v1", "B"], [7, "A"]], files); // prettier-ignore
  expect(text(made)).toBe('{"question_id": "7", "prediction": "A"}\n{"question_id": "v1", "prediction": "B"}\n');
});

test("Q-Bench: records with their responses, without line ends", async () => {
  const record = { img_path: "a.jpg", question: "Q?", candidates: ["x"], type: 0 };
  const made = await submission("qbench", [["a.jpg", "A."]], { "llvisionqa_dev.json": [record, { ...record, img_path: "b.jpg" }] }); // prettier-ignore
  expect(text(made)).toBe(
    '{"img_path": "a.jpg", "question": "Q?", "candidates": ["x"], "type": 0, "response": "A."}' +
      '{"img_path": "b.jpg", "question": "Q?", "candidates": ["x"], "type": 0, "response": ""}',
  );
});

test("ScienceQA: every answer as it was understood, and the figures, as LLaVA's script writes them", async () => {
  const data = {
    "pid_splits.json": { test: ["4", "5", "6"] },
    "problems.json": {
      "4": { choices: ["x", "y"], answer: 1 },
      "5": { choices: ["x", "y"], answer: 0 },
      "6": { choices: ["x", "y"], answer: 0 },
    },
  };
  const made = await submission("scienceqa", [[4, "B. y", "<image>\nQ"], [5, "D", "Q"]], data); // prettier-ignore
  expect(made.kind === "files" && made.files.map(({ suffix, text: own }) => [suffix, JSON.parse(own) as unknown])).toEqual([
    [
      "_output.jsonl",
      {
        correct: [{ question_id: "4", parsed_ans: "B", ground_truth: "B", question: "<image>\nQ", pred: "B. y", is_multimodal: true }],
        incorrect: [
          { question_id: "5", parsed_ans: "D", ground_truth: "A", question: "Q", pred: "D", is_multimodal: false },
          { question_id: "6", parsed_ans: "FAILED", ground_truth: "A", question: "Unknown", pred: "FAILED", is_multimodal: false },
        ],
      },
    ],
    ["_result.json", { acc: (1 / 3) * 100, correct: 1, count: 3, results: { 4: 1, 5: -1, 6: -1 }, outputs: { 4: "B. y", 5: "D", 6: "FAILED" } }],
  ]); // prettier-ignore
  expect(made.notes).toEqual(["1 question of 3 has no answer in answers.jsonl: counted as wrong."]);
});

test("MME: a file for each task, with the question as its own texts have it", async () => {
  const own = "MME_Benchmark_release_version";
  const data = {
    [`${own}/existence/1.txt`]: "Is it red? Please answer yes or no.\tYes\nIs it blue?  Please answer yes or no.\tNo\n",
    [`${own}/OCR/7.txt`]: "Is it a word? Please answer yes or no.\tNo\n",
  };
  const asked = (question: string): string => `${question}\nAnswer the question using a single word or phrase.`;
  const made = await submission(
    "mme",
    [["existence/1.png", "Yes", asked("Is it red?")], ["existence/1.png", "Yes", asked("Is it blue?")], ["OCR/7.jpg", "No", asked("Is it a word?")], ["OCR/8.jpg", "No", asked("?")]],
    data,
  ); // prettier-ignore
  expect(made.kind === "files" && made.files).toEqual([
    { suffix: "/existence.txt", text: "1.txt\tIs it red? Please answer yes or no.\tYes\tYes\n1.txt\tIs it blue?  Please answer yes or no.\tNo\tYes\n" },
    { suffix: "/OCR.txt", text: "7.txt\tIs it a word? Please answer yes or no.\tNo\tNo\n" },
  ]); // prettier-ignore
  expect(made.notes).toEqual(["1 answer of answers.jsonl has no label in MME's files and is left out."]);
});

describe("MMBench", () => {
  const table =
    "index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\timage\tsource\tl2-category\tcomment\tsplit\n" +
    "241\tWhich <one>\tx\tred\tblue\t\t\tA\tcat\taGk=\tsrc\tl2\t\tdev\n7\tWhat\t\ta\tb\tc\td\tB\tcat\taGk=\tsrc\tl2\t\tdev\n";

  test("the table lacks six columns and has the prediction as its seventh", async () => {
    const made = await submission("mmbench", [[241, "B"]], { "mmbench_dev_20230712.tsv": table });
    expect(made).toMatchObject({
      rows: [
        ["index", "question", "A", "B", "C", "D", "prediction", "answer", "split"],
        [241, "Which <one>", "red", "blue", undefined, undefined, "B", "A", "dev"],
        [7, "What", "a", "b", "c", "d", undefined, "B", "dev"],
      ],
    });
    expect(made.notes.join(" ")).toContain("1 question of 2 has no answer");
  });

  test("is written as a workbook with one sheet", async () => {
    const folder = await mkdtemp(join(tmpdir(), "submit-"));
    try {
      const file = join(folder, "deep/upload.xlsx");
      await writeSubmission(await submission("mmbench", [[241, "B"], [7, "A"]], { "mmbench_dev_20230712.tsv": table }), file); // prettier-ignore
      const parts = unzipSync(new Uint8Array(await readFile(file)));
      const read = (name: string): string => new TextDecoder().decode(parts[name]);
      expect(read("xl/workbook.xml")).toContain('name="Sheet1"');
      expect(read("xl/worksheets/sheet1.xml")).toContain("<v>241</v>");
      expect(read("xl/sharedStrings.xml")).toContain("Which &lt;one&gt;");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("what cannot be handed in is said", () => {
  test("a benchmark without a server", async () => {
    await expect(submission("pope", [[1, "yes"]])).rejects.toThrow(/pope is not handed in anywhere/);
  });
  test("answers to other questions", async () => {
    const files = { "SEED-Bench.json": { questions: [{ question_id: "7" }] } };
    await expect(submission("seed", [[1, "A"]], files)).rejects.toThrow(/answers none of the 1 question/);
  });
  test("missing questions", async () => {
    await expect(submission("vqav2", [[1, "a"]])).rejects.toThrow(/The ids of VQAv2's test2015 are missing.*eval.zip/);
  });
});
