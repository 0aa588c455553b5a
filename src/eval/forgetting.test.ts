// Rows and verdict of what an adapter costs, on answers with known marks.
import { expect, test } from "vitest";
import { formatForgetting, makeForgetting, type Pass } from "./forgetting.ts";
import type { PhotoAnswer } from "./photographs.ts";
import type { Scored } from "./pocket.ts";

/** So many questions about drawings and photographs, of which so many are right; and a caption, which nobody marks. */
function pass(drawings: readonly [right: number, of: number], photographs: readonly [right: number, of: number]): Pass {
  const drawing: Scored["question"] = {
    ...{ id: 1, image: "a", text: "", kind: "count", style: "known", reference: "" },
    ...{ answers: [], match: "contains" },
  };
  const photo: PhotoAnswer["question"] = {
    ...{ question_id: 1, images: [], text: "", kind: "object", answers: [], match: "contains" },
  };
  const each = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  return {
    drawings: each(drawings[1], (i) => ({
      ...{ question: drawing, text: "", kind: "count", style: "known", referenceRight: true },
      packageRight: i < drawings[0],
    })),
    photographs: [
      ...each(photographs[1], (i) => ({ question: photo, text: "", right: i < photographs[0] })),
      { question: { ...photo, kind: "caption" }, text: "", right: false },
    ],
  };
}

test("each kind has its share without and with the adapter, and captions have none", () => {
  const { rows, passed } = makeForgetting(pass([90, 100], [40, 50]), pass([89, 100], [40, 50]));
  expect(rows).toEqual([
    { name: "drawing: count", n: 100, without: 90, with: 89 },
    { name: "all drawings", n: 100, without: 90, with: 89 },
    { name: "photo: object", n: 50, without: 80, with: 80 },
    { name: "all photographs", n: 50, without: 80, with: 80 },
  ]);
  expect(passed).toBe(true);
});

test("a fall of more than two points in either is told", () => {
  const fallen = makeForgetting(pass([90, 100], [40, 50]), pass([95, 100], [38, 50]));
  expect(fallen.passed).toBe(false);
  expect(formatForgetting(fallen)).toContain("all photographs                 50      80.0      76.0      −4.0");
});
