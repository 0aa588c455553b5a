// What each model's answers come to: how many there are, how many are right, and what a judge gives them. Knows no page.
import { isRead } from "#eval/files/reviews.ts";
import type { Board, BoardItem } from "./board.ts";

export interface Tally {
  readonly column: string;
  readonly answers: number;
  /** The mean rightness in percent, where right answers are known. */
  readonly right?: number;
  /** The mean of the judge's scores. */
  readonly score?: number;
  /** As LLaVA's summary: the sum of the candidate's scores in percent of the reference's, over reviews that could be read. */
  readonly relative?: number;
}

/** A row for each column, over these items. */
export function tally({ columns }: Board, items: readonly BoardItem[]): readonly Tally[] {
  return columns.map(({ name }, column): Tally => {
    const own = items.flatMap(({ answers }) => answers[column] ?? []);
    const right = mean(own.flatMap((answer) => answer.right ?? []));
    const score = mean(own.flatMap((answer) => answer.score ?? []));
    const reviews = items.flatMap((item) => item.reviews.filter((one) => one.columns[1] === column && isRead(one)));
    const sum = (side: 0 | 1): number => reviews.reduce((total, { scores }) => total + scores[side], 0);
    return {
      column: name,
      answers: own.filter(({ marks }) => !marks.has("unanswered")).length,
      ...(right === undefined ? {} : { right: 100 * right }),
      ...(score === undefined ? {} : { score }),
      ...(reviews.length === 0 ? {} : { relative: (100 * sum(1)) / sum(0) }),
    };
  });
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}
