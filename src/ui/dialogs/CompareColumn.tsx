// One model's answer in a comparison. A model that failed is marked as failed and can't win.
//   data-testid="compare-column" with data-status as in an answer
import type { JSX } from "preact";
import type { CompareColumn as Answered } from "#chat/compare.ts";
import { tokensPerSecond } from "#chat/conversation/conversation.ts";
import { FailureWords } from "#ui/notes/FailureWords.tsx";
import { formatRate } from "#ui/parts/format.ts";
import { WarnIcon } from "#ui/parts/icons.tsx";
import { Markdown } from "#ui/markdown/Markdown.tsx";
import { useTexts } from "#ui/texts/texts.ts";

interface CompareColumnProps {
  readonly column: Answered;
  /** What it is called while its name is hidden. */
  readonly letter: string;
  readonly hidden: boolean;
  /** The vote said so. */
  readonly best: boolean;
  readonly onBest: (() => void) | undefined;
  readonly onAdopt: (() => void) | undefined;
}

export function CompareColumn(props: CompareColumnProps): JSX.Element {
  const { column, letter, hidden, best, onBest, onAdopt } = props;
  const { choice, turn } = column;
  const t = useTexts();
  const rate = tokensPerSecond(turn);
  const name = hidden ? t.compare.hiddenName(letter) : choice.name;
  const failed = turn.failure !== undefined;
  return (
    <article
      class={`compare-column${best ? " compare-column-best" : ""}`}
      aria-label={name}
      data-testid="compare-column"
      data-status={turn.status}
    >
      <p class="model-card-name">
        <strong>{name}</strong>
        {best && <span class="badge">{t.compare.won}</span>}
        {failed && <span class="badge badge-bad">{t.compare.failed}</span>}
      </p>
      <Markdown text={turn.text} class="answer" />
      {(turn.status === "queued" || (turn.status === "running" && turn.text === "")) && (
        <p class="answer-stage">
          <span class="pulse" />
          {turn.status === "queued" ? t.queued : t.stages[turn.stage?.stage ?? "image"]}
        </p>
      )}
      {turn.silentMs !== undefined && <p class="answer-note">{t.remote.silent(Math.round(turn.silentMs / 1000))}</p>}
      {turn.failure !== undefined && (
        <div class="model-problem" role="alert">
          <WarnIcon />
          <div>
            <FailureWords {...turn.failure} />
          </div>
        </div>
      )}
      {turn.status === "stopped" && <p class="answer-note">{t.stopped}</p>}
      {turn.status === "done" && turn.text === "" && <p class="answer-note">{t.emptyAnswer}</p>}
      {/* A pace would tell who it is. */}
      {rate !== undefined && !hidden && <p class="answer-model">{formatRate(t, rate)}</p>}
      {turn.text !== "" && (onBest !== undefined || (onAdopt !== undefined && !failed)) && (
        <p class="card-actions">
          {onBest !== undefined && (
            <button type="button" class="button button-primary" onClick={onBest}>
              {t.compare.best}
            </button>
          )}
          {onAdopt !== undefined && !failed && (
            <button type="button" class="button" onClick={onAdopt}>
              {t.compare.adopt}
            </button>
          )}
        </p>
      )}
    </article>
  );
}
