// What an adapter costs the model: the held-out questions with and without it, side by side. Knows no model.
import type { PhotoAnswer } from "./photographs.ts";
import type { Scored } from "./pocket.ts";

/** Answers of one pass over the held-out questions. */
export interface Pass {
  readonly drawings: readonly Scored[];
  readonly photographs: readonly PhotoAnswer[];
}

/** Percentages of right answers, 0 to 100. */
interface ForgettingRow {
  readonly name: string;
  readonly n: number;
  readonly without: number;
  readonly with: number;
}

export interface Forgetting {
  readonly rows: readonly ForgettingRow[];
  /** Whether neither drawings nor photographs, all kinds together, fell by more than two points. */
  readonly passed: boolean;
}

/** In points. */
const largestFall = 2;

/** A row for each kind of question, and one for all drawings and one for all photographs. Captions are scored by no answer and left out. */
export function makeForgetting(without: Pass, withAdapter: Pass): Forgetting {
  const [before, after] = [marksOf(without), marksOf(withAdapter)];
  const rows = [...before].map(([name, marks]): ForgettingRow => {
    const learned = after.get(name) ?? [];
    return { name, n: marks.length, without: shareOf(marks), with: shareOf(learned) };
  });
  const passed = rows.every((row) => !totals.has(row.name) || row.without - row.with <= largestFall);
  return { rows, passed };
}

const [allDrawings, allPhotographs] = ["all drawings", "all photographs"];
const totals = new Set([allDrawings, allPhotographs]);

/** Right and wrong by the name of a row. */
function marksOf({ drawings, photographs }: Pass): Map<string, boolean[]> {
  const marks = new Map<string, boolean[]>();
  const add = (name: string, right: boolean): void => void marks.set(name, [...(marks.get(name) ?? []), right]);
  for (const { kind, packageRight } of drawings) add(`drawing: ${kind}`, packageRight);
  for (const { packageRight } of drawings) add(allDrawings, packageRight);
  const judged = photographs.filter(({ question }) => question.kind !== "caption");
  for (const { question, right } of judged) add(`photo: ${question.kind}`, right);
  for (const { right } of judged) add(allPhotographs, right);
  return marks;
}

function shareOf(marks: readonly boolean[]): number {
  return marks.length === 0 ? 0 : (100 * marks.filter((right) => right).length) / marks.length;
}

/** The rows as text for a terminal. */
export function formatForgetting({ rows, passed }: Forgetting): string {
  const line = (name: string, ...cells: readonly string[]): string =>
    name.padEnd(24) + cells.map((cell) => cell.padStart(10)).join("");
  const signed = (points: number): string => `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(1)}`;
  return [
    line("kind", "n", "without %", "with %", "points"),
    ...rows.map((row) =>
      line(row.name, String(row.n), row.without.toFixed(1), row.with.toFixed(1), signed(row.with - row.without)),
    ),
    passed
      ? `Neither drawings nor photographs fell by more than ${largestFall} points.`
      : `Drawings or photographs fell by more than ${largestFall} points.`,
  ].join("\n");
}
