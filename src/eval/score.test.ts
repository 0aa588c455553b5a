import { describe, expect, test } from "vitest";
import { answerWords, isAccepted } from "./score.ts";

test("an answer is its words, without case and punctuation", () => {
  expect(answerWords("It's  TWO-fold, (2)!\n")).toEqual(["it", "s", "two", "fold", "2"]);
});

describe("contains", () => {
  const right = (text: string): boolean => isAccepted(["hot dog", "2"], "contains", text);
  test("takes an accepted answer as whole words anywhere", () => {
    expect(right("A hot dog.")).toBe(true);
    expect(right("There are 2 of them")).toBe(true);
  });
  test("takes no part of a word, no gap and no silence", () => {
    expect(right("A hot dogma.")).toBe(false);
    expect(right("A hot red dog.")).toBe(false);
    expect(right("22")).toBe(false);
    expect(right("")).toBe(false);
  });
});

describe("first", () => {
  test("only the first word counts", () => {
    expect(isAccepted(["yes"], "first", "Yes, there is no cat.")).toBe(true);
    expect(isAccepted(["no"], "first", "Yes, there is no cat.")).toBe(false);
    expect(isAccepted(["no"], "first", "")).toBe(false);
  });
});

describe("place", () => {
  test("the places named must be exactly those of an accepted answer", () => {
    expect(isAccepted(["top left"], "place", "At the top left.")).toBe(true);
    expect(isAccepted(["top left"], "place", "On the left, at the top.")).toBe(true);
    expect(isAccepted(["top left"], "place", "On the left.")).toBe(false);
    expect(isAccepted(["left"], "place", "At the top left.")).toBe(false);
    expect(isAccepted(["left"], "place", "I do not know.")).toBe(false);
  });
  test("centre, center and middle are one place", () => {
    for (const word of ["centre", "center", "middle"]) {
      expect(isAccepted(["centre"], "place", `In the ${word}.`)).toBe(true);
    }
  });
});

describe("relation", () => {
  test("the first relation named decides", () => {
    expect(isAccepted(["left"], "relation", "To the left of the star, not right.")).toBe(true);
    expect(isAccepted(["right"], "relation", "To the left of the star, not right.")).toBe(false);
    expect(isAccepted(["above"], "relation", "Somewhere.")).toBe(false);
  });
});
