// Side by side: choose models, ask them all the same, read their answers in columns and vote. Says which of them run one after another
// and what leaves this device. Blind, the names are hidden and the order is mixed until the vote.
//   data-testid="compare-column": see CompareColumn.tsx · "compare-votes": after a vote
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { canWin, isComparing, mixed, type CompareColumn as Answered, type Comparison, toVote } from "#chat/compare.ts";
import { exportVotes, type Verdict, type Vote } from "#chat/conversation/vote.ts";
import { toMessages, type Picture, type Turn, type UserTurn } from "#chat/conversation/conversation.ts";
import type { ModelChoice } from "#chat/models/models.ts";
import { toRequest, type Settings } from "#chat/settings.ts";
import { CompareColumn } from "./CompareColumn.tsx";
import { CompareModels } from "./CompareModels.tsx";
import { Dialog } from "#ui/parts/Dialog.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { Thumbnail } from "#ui/parts/Thumbnail.tsx";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";

export interface CompareFeature {
  readonly comparison: Comparison;
  /** Keeps the vote; returns all votes. */
  readonly vote: (vote: Vote) => readonly Vote[];
}

interface CompareDialogProps {
  readonly compare: CompareFeature;
  readonly choices: readonly ModelChoice[];
  /** The chosen model: it takes part unless it is unticked. */
  readonly selectedId: string;
  /** What the models read before the question. */
  readonly turns: readonly Turn[];
  /** Not sent yet. */
  readonly draft: { readonly text: string; readonly pictures: readonly Picture[] };
  readonly settings: Settings;
  readonly onView: (pictures: readonly Picture[], startId: string) => void;
  /** Takes an answer into the conversation, with the question where it was not asked there, and goes on with its model. */
  readonly onAdopt: (
    column: Answered,
    question: { readonly text: string; readonly pictures: readonly Picture[] } | undefined,
  ) => void;
  readonly onClose: () => void;
}

/** Begins with the draft, or with the last question of the conversation. Closing stops what runs. */
export function CompareDialog(props: CompareDialogProps): JSX.Element {
  const { compare, choices, turns, draft } = props;
  const { comparison } = compare;
  const t = useTexts();
  const last = turns.findLast((turn) => turn.role === "user");
  const fresh = draft.text.trim() !== "" || draft.pictures.length > 0;
  const [question, setQuestion] = useState(fresh || last === undefined ? draft.text : last.text);
  const [columns, setColumns] = useState<readonly Answered[]>([]);
  const [chosen, setChosen] = useState<readonly string[]>(() => firstTwo(choices, props.selectedId));
  const [blind, setBlind] = useState(true);
  const [voted, setVoted] = useState<{ readonly verdict: Verdict; readonly votes: readonly Vote[] }>();
  /** What the columns answer; `isLast`: the conversation's last question in its own words. */
  const [asked, setAsked] = useState<{ readonly text: string; readonly isLast: boolean; readonly blind: boolean }>();
  const answers = useRef<HTMLElement>(null);
  useEffect(() => comparison.subscribe(setColumns), [comparison]);
  useEffect(() => () => comparison.stop(), [comparison]);
  const busy = isComparing(columns);
  const pictures = fresh ? draft.pictures : (last?.pictures ?? []);
  const ready = chosen.length >= 2 && (question.trim() !== "" || pictures.length > 0);
  const answered = columns.filter(({ turn }) => canWin(turn)).length;
  const open = columns.length > 0 && !busy && voted === undefined && answered >= 2;
  const hidden = asked?.blind === true && voted === undefined && (busy || answered >= 2);

  const ask = (): void => {
    setVoted(undefined);
    setAsked({ text: question.trim(), isLast: !fresh && last !== undefined && question.trim() === last.text, blind });
    // The last question asked again stands in its own place; a new one follows the conversation.
    const before = fresh || last === undefined ? turns : turns.slice(0, turns.indexOf(last));
    const asking: UserTurn = { role: "user", id: "compare", text: question.trim(), pictures };
    const request = toRequest(props.settings, toMessages([...before, asking]));
    const taking = choices.filter(({ id }) => chosen.includes(id));
    void comparison.run(blind ? mixed(taking) : taking, request);
    // Where number keys vote; in the field they would be typed.
    answers.current?.focus();
  };
  const vote = (verdict: Verdict): void => {
    const about = { question: asked?.text ?? "", pictures: pictures.length };
    setVoted({ verdict, votes: compare.vote(toVote(columns, about, verdict, Date.now())) });
  };
  const voteByKey = (event: KeyboardEvent): void => {
    if (!open || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement && event.target.type === "text") return;
    const index = Number(event.key) - 1;
    const column = columns[index];
    if (column !== undefined && canWin(column.turn)) vote(index);
    else if (event.key === "0") vote("tie");
  };

  return (
    <Dialog title={t.compare.title} wide onClose={props.onClose} onKeyDown={voteByKey}>
      <p class="dialog-note">{t.compare.lead}</p>
      <CompareModels choices={choices} chosen={chosen} disabled={busy} onChosen={setChosen} />
      <label class="toggle">
        <span>
          {t.compare.blind}
          <small>{t.compare.blindHint}</small>
        </span>
        <input
          type="checkbox"
          role="switch"
          checked={blind}
          disabled={busy}
          onChange={(event) => setBlind(event.currentTarget.checked)}
        />
      </label>
      <form
        class="compare-question"
        onSubmit={(event) => {
          event.preventDefault();
          if (busy) comparison.stop();
          else if (ready) ask();
        }}
      >
        {pictures.length > 0 && (
          <div class="compare-pictures">
            {pictures.map((picture, index) => (
              <Thumbnail
                key={picture.id}
                picture={picture}
                index={index + 1}
                numbered={pictures.length > 1}
                onOpen={() => props.onView(pictures, picture.id)}
              />
            ))}
          </div>
        )}
        <div class="compare-ask">
          <div class="field">
            <label for="compare-question">{t.compare.question}</label>
            <input
              id="compare-question"
              type="text"
              value={question}
              onInput={(event) => setQuestion(event.currentTarget.value)}
            />
          </div>
          <button type="submit" class="button button-primary" disabled={!busy && !ready}>
            {busy ? t.stop : t.compare.ask}
          </button>
        </div>
      </form>
      <section ref={answers} class="compare-columns" tabIndex={-1} aria-label={t.compare.answers}>
        {columns.map((column, index) => (
          <CompareColumn
            key={column.choice.id}
            column={column}
            letter={String.fromCharCode(65 + index)}
            hidden={hidden}
            best={voted?.verdict === index}
            onBest={open && canWin(column.turn) ? () => vote(index) : undefined}
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
      </section>
      {open && (
        <p class="card-actions">
          <button type="button" class="button" onClick={() => vote("tie")}>
            {t.compare.tie}
          </button>
          <button type="button" class="button" onClick={() => vote("none")}>
            {t.compare.none}
          </button>
          <small class="compare-keys">{t.compare.keys(columns.length)}</small>
        </p>
      )}
      <p role="status" class="dialog-note">
        {columns.length > 0 && !busy && answered < 2 ? t.compare.noVote : ""}
      </p>
      {voted !== undefined && <Votes votes={voted.votes} />}
    </Dialog>
  );
}

/** The chosen model and the first other one. */
function firstTwo(choices: readonly ModelChoice[], selectedId: string): readonly string[] {
  const ids = choices.map(({ id }) => id);
  return [selectedId, ...ids.filter((id) => id !== selectedId)].filter((id) => ids.includes(id)).slice(0, 2);
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
