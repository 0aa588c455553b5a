// The prompts of every benchmark, worked out by hand from what LLaVA's generators do: the text after the picture, what the answer line calls the
// prompt, and the whole prompt under vicuna_v1, with which LLaVA-1.5 was evaluated.
import { describe, expect, test } from "vitest";
import { renderPrompt } from "#engine/text/prompt.ts";
import type { Part } from "#engine/types.ts";
import { answerLine, shortId, type Benchmark, type Question } from "./benchmark.ts";
import { benchmarks, custom } from "./benchmarks.ts";

const options = { split: "dev", allRounds: false };
const benchmark = (id: string): Benchmark => {
  const found = [...benchmarks, custom].find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
};
const parse = (id: string, file: string, given: Partial<typeof options> = {}): Question[] =>
  benchmark(id).parse(file, { ...options, ...given });

function wholePrompt({ text, picture }: Question): string {
  const parts: Part[] = [...(picture ? [{ type: "image", blob: new Blob() } as const] : []), { type: "text", text }];
  const none = { chatTemplate: undefined, bosToken: "", eosToken: "" };
  return renderPrompt([{ role: "user", parts }], { template: "vicuna_v1", ...none, defuse: (words) => words }).text;
}

const system =
  "A chat between a curious user and an artificial intelligence assistant. " +
  "The assistant gives helpful, detailed, and polite answers to the user's questions.";

describe("benchmarks whose question lines have their endings", () => {
  const short = "Answer the question using a single word or phrase.";
  const unanswerable = "When the provided information is insufficient, respond with 'Unanswerable'.";
  const letter = "Answer with the option's letter from the given choices directly.";
  test.each([
    ["vqav2", 262144000, `Is the ball flying towards the batter?\n${short}`],
    ["gqa", "201307251", `Is it overcast?\n${short}`],
    ["vizwiz", "VizWiz_test_00000000.jpg", `Is this a plate?\n${unanswerable}\n${short}`],
    [
      "textvqa",
      "003a8ae2ef43b901",
      `what is the brand of this camera?\nReference OCR token: DAKOTA, DIGITAL\n${short}`,
    ],
    ["pope", 1, `Is there a snowboard in the image?\n${short}`],
    ["mme", "code_reasoning/0020.png", `Is a c++ code shown in the picture?\n${short}`],
    ["seed", "v1454426_2591111986", `What is the person doing?\nA. a\nB. b\nC. c\nD. d\n${letter}`],
    ["llava-bench", 0, "What is the name of this famous sight in the photo?"],
    ["mm-vet", 0, "What is x in the equation?"],
    ["custom", "own", "Why?"],
  ])("%s", (id, question_id, text) => {
    const [question] = parse(id, `${JSON.stringify({ question_id, image: "1.jpg", text, category: "x" })}\r\n`);
    if (!question) throw new Error("no question");
    expect(wholePrompt(question)).toBe(`${system} USER: <image>\n${text} ASSISTANT:`);
    expect(answerLine(question, "Yes", { answerId: "id", modelId: "m" })).toEqual({
      question_id,
      prompt: text,
      text: "Yes",
      answer_id: "id",
      model_id: "m",
      metadata: {},
    });
  });
});

describe("ScienceQA", () => {
  const rows = (image?: string): string =>
    JSON.stringify([
      { id: "4", image, conversations: [{ from: "human", value: `${image === undefined ? "" : "<image>\n"}Context: N/A\nWhich?\nA. a\nB. b` }, { from: "gpt", value: "…" }] },
    ]); // prettier-ignore
  const asked = "Context: N/A\nWhich?\nA. a\nB. b\nAnswer with the option's letter from the given choices directly.";

  test("the prompt of a question with a picture begins with its mark", () => {
    const [question] = parse("scienceqa", rows("4/image.png"));
    expect(question).toMatchObject({
      id: "4",
      prompt: `<image>\n${asked}`,
      picture: { kind: "file", path: "4/image.png" },
    });
    expect(question && wholePrompt(question)).toBe(`${system} USER: <image>\n${asked} ASSISTANT:`);
  });

  test("one without a picture is text alone", () => {
    const [question] = parse("scienceqa", rows());
    expect(question).toMatchObject({ prompt: asked, picture: undefined });
    expect(question && wholePrompt(question)).toBe(`${system} USER: ${asked} ASSISTANT:`);
  });
});

describe("MMBench", () => {
  const head = "index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\timage\tsource\tl2-category\tcomment\tsplit\n";
  const row = (hint: string, c: string, d: string): string =>
    `241\tWhich one\tx\tred\tblue\t${c}\t${d}\tA\tcat\taGk=\tsrc\tl2\t\tdev\n`.replace("\tx\t", `\t${hint}\t`);
  const ending = "\nAnswer with the option's letter from the given choices directly.";

  test("hint, question and options up to the first empty one; the answer line's prompt lacks the ending", () => {
    const [question] = parse("mmbench", head + row("The passage.", "nan", "grey"));
    const prompt = "The passage.\nWhich one\nA. red\nB. blue";
    expect(question).toMatchObject({ id: 241, prompt, text: prompt + ending });
    expect(question && wholePrompt(question)).toBe(`${system} USER: <image>\n${prompt}${ending} ASSISTANT:`);
    const line = question && answerLine(question, "B", { answerId: "id", modelId: "m" });
    expect(Object.entries(line ?? {})).toEqual(
      Object.entries({
        question_id: 241,
        round_id: 0,
        prompt,
        text: "B",
        options: ["red", "blue"],
        option_char: ["A", "B"],
        answer_id: "id",
        model_id: "m",
        metadata: {},
      }),
    );
  });

  test("without a hint, in Chinese, and once per option with the options rotated", () => {
    const questions = parse("mmbench-cn", head + row("", "green", ""), { allRounds: true });
    const ending = "\n请直接回答选项字母。";
    expect(questions.map(({ text }) => text)).toEqual([
      `Which one\nA. red\nB. blue\nC. green${ending}`,
      `Which one\nA. blue\nB. green\nC. red${ending}`,
      `Which one\nA. green\nB. red\nC. blue${ending}`,
    ]);
    expect(questions.map(({ afterId, afterText }) => [afterId?.["round_id"], afterText?.["option_char"]])).toEqual([
      [0, ["A", "B", "C"]],
      [1, ["B", "C", "A"]],
      [2, ["C", "A", "B"]],
    ]);
  });

  test("cells may be quoted, with line ends in them", () => {
    const [question] = parse(
      "mmbench",
      `${head}7\t"Two ""lines""\nof it"\t\tred\t"blue"\t\t\tA\tc\taGk=\ts\tl\t\tdev\n`,
    );
    expect(question?.prompt).toBe('Two "lines"\nof it\nA. red\nB. blue');
  });

  test("another table is refused with the columns it lacks", () => {
    expect(() => parse("mmbench", "a\tb\n1\t2\n")).toThrow("lacks the columns index, question, A, B, image");
  });
});

describe("Q-Bench", () => {
  const record = { img_path: "a.jpg", question: "How is it?", candidates: ["Sharp", "Blurry"], correct_ans: "Sharp" };
  test.each([
    ["qbench", "How is it?\nChoose between one of the options as follows:\nA. Sharp\nB. Blurry\n"],
    // The backslash is the original's slip.
    ["qbench-cn", "How is it?\\在下列选项中选择一个:\nA. Sharp\nB. Blurry\n"],
  ])("%s", (id, text) => {
    const [question] = parse(id, JSON.stringify([record]));
    expect(question).toMatchObject({ id: "a.jpg", text, prompt: text, picture: { kind: "file", path: "a.jpg" } });
    expect(benchmark(id).imageMode).toBe("crop");
  });
});

test("answers are as long as LLaVA's two generators let them be", () => {
  const short = benchmarks.filter(({ maxNewTokens }) => maxNewTokens === 128).map(({ id }) => id);
  expect(short).toEqual(["vqav2", "gqa", "vizwiz", "textvqa", "pope", "mme", "seed"]);
  expect(benchmarks.filter(({ maxNewTokens }) => maxNewTokens === 1024)).toHaveLength(benchmarks.length - short.length);
});

describe("bad question files", () => {
  test.each([
    ["pope", '{"question_id": 1, "text": "a"}\n{"quest', /cut off in its last line/],
    [
      "pope",
      '{"question_id": 1, "text": "a"}\nhm\n',
      /1 line of 2 in the question file is no question .the first is line 2./,
    ],
    ["pope", '{"id": 1}\n', /1 line of 1 in the question file is no question .the first is line 1./],
    ["scienceqa", "{}", /no list of ScienceQA's conversations/],
    ["qbench", "[{}]", /no list of Q-Bench's questions/],
  ])("%s: %s", (id, text, message) => {
    expect(() => parse(id, text)).toThrow(message);
  });
});

test("answer ids have shortuuid's form and differ", () => {
  const ids = Array.from({ length: 50 }, shortId);
  expect(new Set(ids).size).toBe(50);
  for (const id of ids) expect(id).toMatch(/^[2-9A-HJ-NP-Za-km-z]{22}$/);
});
