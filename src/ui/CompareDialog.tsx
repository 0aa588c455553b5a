// Side by side: choose models, ask them all the same, read their answers in columns and vote. Says which of them run one after another
// and what leaves this device. data-testid="compare-column" with data-status as in an answer; data-testid="compare-votes" after a vote.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { isComparing, type CompareColumn, type Comparison } from "#chat/compare.ts";
import { exportVotes, toVote, type Verdict, type Vote } from "#chat/compare-votes.ts";
import { tokensPerSecond, toMessages, type Picture, type Turn, type UserTurn } from "#chat/conversation.ts";
import type { ModelChoice } from "#chat/models.ts";
import { toRequest, type Settings } from "#chat/settings.ts";
import { Dialog } from "./Dialog.tsx";
import { FailureWords } from "./FailureWords.tsx";
import { formatRate } from "./format.ts";
import { WarnIcon } from "./icons.tsx";
import { Markdown } from "./Markdown.tsx";
import { useTexts } from "./texts/texts.ts";
import { Thumbnail } from "./Thumbnail.tsx";
import { useObjectUrl } from "./use-object-url.ts";

export interface CompareDialogProps {
  readonly comparison: Comparison;
  readonly choices: readonly ModelChoice[];
  /** The chosen model: it takes part unless it is unticked. */
  readonly selectedId: string;
  /** What the models read before the question. */
  readonly turns: readonly Turn[];
  /** Not sent yet. */
  readonly draft: { readonly text: string; readonly pictures: readonly Picture[] };
  readonly settings: Settings;
  readonly onVote: (vote: Vote) => readonly Vote[];
  /** Takes an answer into the conversation, with the question where it was not asked there, and goes on with its model. */
  readonly onAdopt: (
    column: CompareColumn,
    question: { readonly text: string; readonly pictures: readonly Picture[] } | undefined,
  ) => void;
  readonly onClose: () => void;
}

/** Begins with the draft, or with the last question of the conversation. Closing stops what runs. */
export function CompareDialog(props: CompareDialogProps): JSX.Element {
  const { comparison, choices, turns, draft } = props;
  const t = useTexts();
  const last = turns.findLast((turn) => turn.role === "user");
  const fresh = draft.text.trim() !== "" || draft.pictures.length > 0;
  const [question, setQuestion] = useState(fresh || last === undefined ? draft.text : last.text);
  const [columns, setColumns] = useState<readonly CompareColumn[]>([]);
  const [chosen, setChosen] = useState<readonly string[]>(() => firstTwo(choices, props.selectedId));
  const [votes, setVotes] = useState<readonly Vote[]>();
  /** What the columns answer; `isLast`: the conversation's last question in its own words. */
  const [asked, setAsked] = useState<{ readonly text: string; readonly isLast: boolean }>();
  useEffect(() => comparison.subscribe(setColumns), [comparison]);
  useEffect(() => () => comparison.stop(), [comparison]);
  const busy = isComparing(columns);
  const pictures = fresh ? draft.pictures : (last?.pictures ?? []);
  const ready = chosen.length >= 2 && (question.trim() !== "" || pictures.length > 0);

  const ask = (): void => {
    setVotes(undefined);
    setAsked({ text: question.trim(), isLast: !fresh && last !== undefined && question.trim() === last.text });
    // The last question asked again stands in its own place; a new one follows the conversation.
    const before = fresh || last === undefined ? turns : turns.slice(0, turns.indexOf(last));
    const asking: UserTurn = { role: "user", id: "compare", text: question.trim(), pictures };
    const request = toRequest(props.settings, toMessages([...before, asking]));
    void comparison.run(
      choices.filter(({ id }) => chosen.includes(id)),
      request,
    );
  };
  const vote = (verdict: Verdict): void =>
    setVotes(
      props.onVote(toVote(columns, { question: question.trim(), pictures: pictures.length }, verdict, Date.now())),
    );

  return (
    <Dialog title={t.compare.title} wide onClose={props.onClose}>
      <p>{t.compare.lead}</p>
      <fieldset class="compare-models">
        <legend class="small-title">{t.compare.models}</legend>
        {choices.map(({ id, name, host }) => (
          <label key={id} class="compare-model">
            <input
              type="checkbox"
              checked={chosen.includes(id)}
              disabled={busy}
              onChange={(event) =>
                setChosen(event.currentTarget.checked ? [...chosen, id] : chosen.filter((other) => other !== id))
              }
            />
            <span>
              {name}
              {host !== undefined && <small>{t.remote.sentTo(host)}</small>}
            </span>
          </label>
        ))}
      </fieldset>
      {pictures.length > 0 && (
        <div class="thumbnails">
          {pictures.map((picture, index) => (
            <Thumbnail key={picture.id} picture={picture} index={index + 1} numbered={pictures.length > 1} />
          ))}
        </div>
      )}
      <form
        class="compare-question"
        onSubmit={(event) => {
          event.preventDefault();
          if (busy) comparison.stop();
          else if (ready) ask();
        }}
      >
        <div class="field">
          <label for="compare-question">{t.compare.question}</label>
          <input
            id="compare-question"
            type="text"
            value={question}
            onInput={(event) => setQuestion(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button" disabled={!busy && !ready}>
          {busy ? t.stop : t.compare.ask}
        </button>
      </form>
      <div class="compare-columns">
        {columns.map((column, index) => (
          <Column
            key={column.choice.id}
            column={column}
            onBest={busy || votes !== undefined ? undefined : () => vote(index)}
            onAdopt={
              busy || asked === undefined
                ? undefined
                : () => {
                    props.onAdopt(column, asked.isLast ? undefined : { text: asked.text, pictures });
                    props.onClose();
                  }
            }
          />
        ))}
      </div>
      {columns.length > 0 && !busy && votes === undefined && (
        <p class="dialog-actions">
          <button type="button" class="button" onClick={() => vote("tie")}>
            {t.compare.tie}
          </button>
          <button type="button" class="button" onClick={() => vote("none")}>
            {t.compare.none}
          </button>
        </p>
      )}
      {votes !== undefined && <Votes votes={votes} />}
    </Dialog>
  );
}

/** The chosen model and the first other one. */
function firstTwo(choices: readonly ModelChoice[], selectedId: string): readonly string[] {
  const ids = choices.map(({ id }) => id);
  return [selectedId, ...ids.filter((id) => id !== selectedId)].filter((id) => ids.includes(id)).slice(0, 2);
}

interface ColumnProps {
  readonly column: CompareColumn;
  readonly onBest: (() => void) | undefined;
  readonly onAdopt: (() => void) | undefined;
}

function Column({ column: { choice, turn }, onBest, onAdopt }: ColumnProps): JSX.Element {
  const t = useTexts();
  const rate = tokensPerSecond(turn);
  return (
    <article class="compare-column" aria-label={choice.name} data-testid="compare-column" data-status={turn.status}>
      <p class="small-title">{choice.name}</p>
      <div class="answer">
        <Markdown text={turn.text} />
      </div>
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
      {rate !== undefined && <p class="answer-model">{formatRate(t, rate)}</p>}
      {turn.text !== "" && (onBest !== undefined || onAdopt !== undefined) && (
        <p class="compare-actions">
          {onBest !== undefined && (
            <button type="button" class="button" onClick={onBest}>
              {t.compare.best}
            </button>
          )}
          {onAdopt !== undefined && (
            <button type="button" class="button" onClick={onAdopt}>
              {t.compare.adopt}
            </button>
          )}
        </p>
      )}
    </article>
  );
}

function Votes({ votes }: { readonly votes: readonly Vote[] }): JSX.Element {
  const t = useTexts();
  const file = useMemo(() => new Blob([exportVotes(votes)], { type: "application/json" }), [votes]);
  const url = useObjectUrl(file);
  return (
    <p role="status" data-testid="compare-votes">
      {t.compare.kept(votes.length)}{" "}
      {url !== undefined && (
        <a href={url} download="llava-web-votes.json">
          {t.compare.export}
        </a>
      )}
    </p>
  );
}
