import { describe, expect, test } from "vitest";
import { formatTable, makeTable, type Result } from "./table.ts";

const kinds = ["colour", "yesno", "place", "count", "naming", "word"];
const result = (kind: string, packageRight: boolean, referenceRight = packageRight, style = "known"): Result => ({
  kind,
  style,
  packageRight,
  referenceRight,
});
/** A hundred questions per kind, of which so many are answered rightly. */
const results = (right: number, reference = right): Result[] =>
  kinds.flatMap((kind) => Array.from({ length: 100 }, (_, i) => result(kind, i < right, i < reference)));

describe("the verdict", () => {
  test("holds when every floor holds and 4 bits cost little", () => {
    expect(makeTable(results(96, 97))).toMatchObject({ passed: true });
  });

  test("falls with one floor", () => {
    const table = makeTable(results(94));
    expect(table.passed).toBe(false);
    expect(table.rows.filter(({ held }) => held === false).map(({ name }) => name)).toEqual(["colour"]);
  });

  test("falls when 4 bits cost more than a point, floors or not", () => {
    const table = makeTable(results(96, 98));
    expect(table.rows.every(({ held }) => held !== false)).toBe(true);
    expect(table.cost).toBeCloseTo(2);
    expect(table.passed).toBe(false);
  });

  test("falls when a kind has no questions", () => {
    expect(makeTable(results(100).filter(({ kind }) => kind !== "word")).passed).toBe(false);
  });

  test("does not mind random strings and the unseen style", () => {
    const bad = Array.from({ length: 200 }, () => [
      result("string", false),
      result("colour", false, true, "unseen"),
    ]).flat();
    const table = makeTable([...results(100), ...bad]);
    expect(table.passed).toBe(true);
    expect(table.rows.find(({ name }) => name === "string")).toMatchObject({ n: 200, package: 0 });
    expect(table.rows.find(({ name }) => name === "unseen style")).toMatchObject({ n: 200, package: 0, fp32: 100 });
    expect(table.rows.find(({ name }) => name === "everything")).toMatchObject({ n: 1000, package: 60 });
  });
});

test("the table tells both figures, the floor and whether it holds", () => {
  const text = formatTable(makeTable(results(94, 96)));
  expect(text).toMatch(/^colour +100 +94\.0 +96\.0 +95 +MISSED$/m);
  expect(text).toMatch(/^naming +100 +94\.0 +96\.0 +80 +held$/m);
  expect(text).toContain("4 bits cost 2.0 points");
});
