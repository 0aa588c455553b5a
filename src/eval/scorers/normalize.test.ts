import fc from "fast-check";
import { expect, test } from "vitest";
import { seeded } from "#testing/seeded.ts";
import { normalizeAnswer } from "./normalize.ts";
import { softScores } from "./soft-accuracy.ts";

test.each([
  ["The two cats.", "2 cats"],
  ["Dont know", "don't know"],
  ["st. john's", "st john 's"],
  ["ice-cream", "ice cream"],
  ["ice -cream", "ice cream"],
  ["1,000", "1000"],
  // The published rule for periods looks for "<=" and a digit, so a period before no digit goes, whatever stands before it.
  ["v1.0. 2.", "v1.0 2"],
  ["3.", "3"],
  ["None", "0"],
  ["a", ""],
])("%j is compared as %j", (text, wanted) => {
  expect(normalizeAnswer(text)).toBe(wanted);
});

test("only the first 32 periods go, because a flag was passed as their count; strict removes them all", () => {
  expect(normalizeAnswer(`${".".repeat(40)}x`)).toBe(`${".".repeat(8)}x`);
  expect(normalizeAnswer(`${".".repeat(40)}x`, true)).toBe("x");
  expect(normalizeAnswer("3. 5", true)).toBe("3. 5");
});

const { seed } = seeded();
const text = fc.string({ unit: fc.constantFrom(...Array.from("ab1 .,?!-'s\"/\n\tThe étwo")) });

test(`white space, case and articles make no difference (seed ${seed})`, () => {
  fc.assert(
    fc.property(text, (answer) => {
      expect(normalizeAnswer(answer.toUpperCase())).toBe(normalizeAnswer(answer));
      const plain = normalizeAnswer(answer);
      expect(plain).toBe(plain.trim());
      expect(plain.split(" ").filter((word) => ["a", "an", "the", "two", "none"].includes(word))).toEqual([]);
    }),
    { seed },
  );
});

test(`words of letters alone are a fixed point (seed ${seed})`, () => {
  const words = fc.array(fc.stringMatching(/^[b-df-hj-np-rv-z]{2,6}$/), { maxLength: 5 });
  fc.assert(
    fc.property(words, (list) => {
      expect(normalizeAnswer(list.join(" "))).toBe(list.join(" "));
    }),
    { seed },
  );
});

test(`the soft scores of ten answers lie in (0, 1], and are 1 for what four people gave (seed ${seed})`, () => {
  const ten = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(ten, (answers) => {
      for (const [answer, score] of softScores(answers)) {
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(score === 1).toBe(answers.filter((one) => one === answer).length >= 4);
      }
    }),
    { seed },
  );
});
