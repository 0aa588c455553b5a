import { describe, expect, test } from "vitest";
import { checkLesson, examplesOf } from "./lesson-check.ts";
import type { Card, Lesson, LessonKind } from "./lesson.ts";

const card = (answer: string, keys: readonly string[], question = ""): Card => ({
  id: `card ${answer} ${question}`,
  answer,
  question,
  pictures: keys.map((key) => ({ id: `${answer} ${question} ${key}`, name: `${key}.png`, key })),
});
const lessonOf = (kind: LessonKind, cards: readonly Card[], question = "What is this?"): Lesson => ({
  id: "lesson",
  name: "",
  kind,
  question,
  cards,
  results: [],
  createdAt: 0,
  updatedAt: 0,
});
const keys = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const kindsOf = (lesson: Lesson): string[] => checkLesson(lesson).problems.map(({ kind }) => kind);

describe("a lesson", () => {
  test("with two things of ten pictures each has nothing to be said about", () => {
    const lesson = lessonOf("things", [card("Mimi", keys("a", 10)), card("Momo", keys("b", 10))]);
    expect(checkLesson(lesson)).toEqual({ problems: [], ready: true });
  });

  test("without pictures, or without a word of what they show, can't be taught", () => {
    expect(checkLesson(lessonOf("things", [card("Mimi", [])]))).toEqual({
      problems: [{ kind: "empty" }],
      ready: false,
    });
    const unnamed = lessonOf("things", [card(" ", keys("a", 5)), card("Momo", keys("b", 5))]);
    expect(checkLesson(unnamed)).toEqual({ problems: [{ kind: "no-answer", count: 1 }], ready: false });
    expect(kindsOf(lessonOf("things", [card("Mimi", keys("a", 5)), card("Momo", keys("b", 5))], " "))).toEqual([
      "no-question",
    ]);
  });

  test("names the things with too few pictures", () => {
    const lesson = lessonOf("things", [card("Mimi", keys("a", 2)), card("Momo", keys("b", 8))]);
    expect(checkLesson(lesson)).toEqual({ problems: [{ kind: "too-few", answers: ["Mimi"] }], ready: false });
  });

  test("with one answer only teaches to say it always, also where it stands on two cards", () => {
    expect(kindsOf(lessonOf("classes", [card("Defect", keys("a", 10))]))).toEqual(["one-class"]);
    expect(
      kindsOf(lessonOf("things", [card("Mimi", keys("a", 10)), { ...card("mimi ", keys("b", 10)), id: "2" }])),
    ).toEqual(["one-class"]);
  });

  test("must not have one picture in two classes, but may ask two questions about it", () => {
    const both = lessonOf("classes", [
      card("Defect", ["x", ...keys("a", 5)]),
      card("No defect", ["x", ...keys("b", 5)]),
    ]);
    expect(checkLesson(both)).toEqual({
      problems: [{ kind: "two-answers", pictures: 1, answers: ["Defect", "No defect"] }],
      ready: false,
    });
    const free = lessonOf("free", [
      card("A cat", ["x", "y"], "What is this?"),
      card("Red", ["x", "y"], "What color is it?"),
    ]);
    expect(checkLesson(free)).toEqual({ problems: [], ready: true });
  });

  test("with few or uneven pictures is advised, and can be taught", () => {
    const few = checkLesson(lessonOf("things", [card("Mimi", keys("a", 4)), card("Momo", keys("b", 10))]));
    expect(few).toEqual({ problems: [{ kind: "few", answers: ["Mimi"] }], ready: true });
    const uneven = checkLesson(lessonOf("classes", [card("Defect", keys("a", 4)), card("No defect", keys("b", 40))]));
    expect(uneven).toEqual({ problems: [{ kind: "uneven", most: "No defect", least: "Defect" }], ready: true });
  });

  test("of corrections may have one picture for each answer", () => {
    const corrections = lessonOf("free", [card("A cup", ["x"], "What is this?"), card("Two", ["y"], "How many?")]);
    expect(checkLesson(corrections)).toEqual({ problems: [{ kind: "untested" }], ready: true });
  });
});

test("what is taught has a question, an answer and a picture each", () => {
  const lesson = lessonOf("free", [
    card(" A cup ", ["x", "y"], "What is this? "),
    card("", ["z"], "?"),
    card("Two", [], "?"),
  ]);
  expect(examplesOf(lesson).map(({ key, question, answer }) => [key, question, answer])).toEqual([
    ["x", "What is this?", "A cup"],
    ["y", "What is this?", "A cup"],
  ]);
});
