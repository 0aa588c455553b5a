// What the models' answers come to over the questions that are shown.
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { Board, BoardItem } from "#review/board.ts";
import { tally, type Tally } from "#review/tally.ts";
import { useReviewTexts } from "./review-texts.ts";

interface FiguresProps {
  readonly board: Board;
  readonly shown: readonly BoardItem[];
}

/** Nothing where nothing is scored. */
export function Figures({ board, shown }: FiguresProps): JSX.Element | null {
  const t = useReviewTexts();
  const rows = useMemo(() => tally(board, shown), [board, shown]);
  const say = (value: number | undefined, unit = ""): string =>
    value === undefined
      ? "–"
      : value.toLocaleString(t.tag, { maximumFractionDigits: 1, minimumFractionDigits: 1 }) + unit;
  const columns: readonly (readonly [keyof Tally, string, string])[] = [
    ["right", t.rightShare, "%"],
    ["score", t.meanScore, ""],
    ["relative", t.relative, "%"],
  ];
  const used = columns.filter(([field]) => rows.some((row) => row[field] !== undefined));
  if (used.length === 0) return null;
  return (
    <section class="review-figures" aria-label={t.summary}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t.model}</th>
            <th scope="col">{t.answered}</th>
            {used.map(([field, title]) => (
              <th key={field} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              <th scope="row">{row.column}</th>
              <td>{row.answers.toLocaleString(t.tag)}</td>
              {used.map(([field, , unit]) => (
                <td key={field}>{say(numberOf(row[field]), unit)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="review-count">{t.ofShown}</p>
    </section>
  );
}

const numberOf = (value: Tally[keyof Tally]): number | undefined => (typeof value === "number" ? value : undefined);
