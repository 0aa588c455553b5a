// What the answers come to, and what does not fit.
import type { JSX } from "preact";
import { fixed } from "#eval/files/python.ts";
import type { Figure } from "#eval/scorers/outcome.ts";
import type { EvaluationTexts } from "#ui/texts/en/evaluation.ts";

interface ScoresProps {
  readonly t: EvaluationTexts;
  readonly figures: readonly Figure[] | undefined;
  readonly notes: readonly string[];
}

/** Nothing where nothing is scored. */
export function Scores({ t, figures, notes }: ScoresProps): JSX.Element | null {
  if (figures === undefined && notes.length === 0) return null;
  return (
    <section class="evaluation-scores" aria-label={t.figures} data-testid="eval-figures">
      {figures !== undefined && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t.figure}</th>
              <th scope="col">{t.value}</th>
              <th scope="col">{t.items}</th>
            </tr>
          </thead>
          <tbody>
            {figures.map(({ name, value, digits, unit = "", items }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{Number.isFinite(value) ? `${fixed(value, digits)}${unit}` : "–"}</td>
                <td>{items.toLocaleString(t.tag)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {notes.length > 0 && (
        <>
          <h2 class="small-title">{t.notes}</h2>
          <ul class="evaluation-hints">
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
