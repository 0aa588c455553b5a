import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { parseAnswers } from "./answers.ts";
import { readLabelFile, readLabelLines } from "./data-files.ts";
import { parseJsonLines } from "./json-lines.ts";
import { dumps, fixed, words } from "./python.ts";

describe("lines of JSON", () => {
  test("may have a byte order mark, Windows line ends and blank lines", () => {
    const { rows, broken, cut } = parseJsonLines('\uFEFF{"a":1}\r\n\r\n{"a":2}\r\n');
    expect(rows).toEqual([{ value: { a: 1 }, line: 1 }, { value: { a: 2 }, line: 3 }]); // prettier-ignore
    expect([broken, cut]).toEqual([[], false]);
  });

  test("a last line that was cut off is told from lines that are no JSON", () => {
    expect(parseJsonLines('{"a":1}\nnonsense\n{"a":')).toMatchObject({ broken: [2], cut: true });
    expect(parseJsonLines('{"a":1}\n{"a":\n')).toMatchObject({ broken: [2], cut: false });
  });
});

describe("answer files", () => {
  test("are LLaVA's lines, or the list that a server takes", () => {
    const lines = parseAnswers('{"question_id":1,"prompt":"Q","text":"A","model_id":"m"}\n', "x.jsonl");
    expect(lines).toMatchObject({ model: "m", answers: [{ id: "1", prompt: "Q", text: "A" }], notes: [] });
    expect(parseAnswers('[{"questionId":"1","prediction":"a"}]', "dir/gqa.json")).toMatchObject({ model: "gqa", answers: [{ id: "1", text: "a" }] }); // prettier-ignore
    expect(parseAnswers('[{"question_id":1,"answer":"a"}]', "v.json").answers).toHaveLength(1);
  });

  test("say with counts what was left out", () => {
    const text =
      '{"question_id":1,"text":"a"}\nhm\n{"question_id":2}\n{"question_id":3,"text":"","metadata":{"error":"no picture x.jpg"}}\n{"q';
    expect(parseAnswers(text, "x.jsonl").notes).toEqual([
      "The last line of x.jsonl is cut off and left out.",
      "1 line of x.jsonl is no JSON (the first is line 2) and left out.",
      "1 line of x.jsonl has no question_id or no text (the first is line 3) and is left out.",
      "1 question of x.jsonl could not be asked (no picture x.jpg); the answer is empty.",
    ]);
  });

  test("without answers are refused with what one looks like", () => {
    expect(() => parseAnswers("a\nb\n", "x.txt")).toThrow(/x.txt holds no answers.*no line of this one is JSON/);
    expect(() => parseAnswers('{"label":"yes"}\n', "labels.json")).toThrow(
      /none of its 1 line has a question_id with a text/,
    );
  });
});

describe("labels that are damaged or another file's are refused with counts", () => {
  const Label = v.object({ label: v.string() });
  test.each([
    ['{"label":"yes"}\n{"q', "The last line of x.json is cut off. Fetch the file again."],
    ['{"label":"yes"}\nhm\n{"answer":1}\n', "2 lines of 3 in x.json are damaged or of another form (the first is line 2)."],
  ])("%j", (text, message) => {
    expect(() => readLabelLines(Label, { path: "x.json", text })).toThrow(message);
  }); // prettier-ignore

  test("a file that is one value", () => {
    const read = (text: string) => readLabelFile(v.record(v.string(), Label), { path: "x.json", text });
    expect(read('\uFEFF{"1":{"label":"yes"}}')).toEqual({ 1: { label: "yes" } });
    expect(() => read('{"1":{')).toThrow("x.json is no JSON, or is cut off. Fetch it again.");
    expect(() => read('{"1":{"answer":"yes"}}')).toThrow("x.json has another form than expected, first at 1.label.");
  });
});

describe("Python's ways", () => {
  test("an exact half goes to the even digit", () => {
    expect([fixed(0.125, 2), fixed(0.375, 2), fixed(2.5, 0), fixed(-0.5, 0), fixed(2.675, 2)]).toEqual(["0.12", "0.38", "2", "-0", "2.67"]); // prettier-ignore
  });

  test("JSON has spaces, ASCII alone, and an indent where one is asked for", () => {
    expect(dumps({ a: [1, "é😀"], b: {} })).toBe('{"a": [1, "\\u00e9\\ud83d\\ude00"], "b": {}}');
    expect(dumps({ a: [1], b: "x" }, 2)).toBe('{\n  "a": [\n    1\n  ],\n  "b": "x"\n}');
  });

  test("words lie between white space of any kind", () => {
    expect(words(" a\u00a0b\x1fc\n")).toEqual(["a", "b", "c"]);
  });
});
