// Side by side: choose models, ask them all the same, read their answers in columns and vote. Says which of them run one after another
// and what leaves this device. Blind, the names are hidden and the order is mixed until the vote.
//   data-testid="compare-column": see CompareColumn.tsx · "compare-votes": after a vote
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { canWin, type CompareColumn as Answered } from "#chat/compare.ts";
import type { Picture } from "#chat/conversation/conversation.ts";
import { exportVotes, type Vote } from "#chat/conversation/vote.ts";
import { Dialog } from "#ui/parts/Dialog.tsx";
import { Toggle } from "#ui/parts/Fields.tsx";
import { Thumbnail } from "#ui/parts/Thumbnail.tsx";
import { useObjectUrl } from "#ui/parts/use-object-url.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { CompareColumn } from "./CompareColumn.tsx";
import { CompareModels } from "./CompareModels.tsx";
import { useComparing, type Comparing, type ComparingOptions, type NewQuestion } from "./use-comparing.ts";

interface CompareDialogProps extends ComparingOptions {
  readonly onView: (pictures: readonly Picture[], startId: string) => void;
  /** Takes an answer into the conversation, with the question where it was not asked there, and goes on with its model. */
  readonly onAdopt: (column: Answered, question: NewQuestion | undefined) => void;
  readonly onClose: () => void;
}

/** Closing stops what runs. */
export function CompareDialog(props: CompareDialogProps): JSX.Element {
  const t = useTexts();
  const comparing = useComparing(props);
  const { asked, blind, canVote, columns, isBusy, voted, vote } = comparing;
  const answers = useRef<HTMLElement>(null);
  const voteByKey = (event: KeyboardEvent): void => {
    if (!canVote || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement && event.target.type === "text") return;
    const index = Number(event.key) - 1;
    const column = columns[index];
    if (column !== undefined && canWin(column.turn)) vote(index);
    else if (event.key === "0") vote("tie");
  };
  const adopt = (column: Answered) => () => {
    props.onAdopt(column, asked?.question);
    props.onClose();
  };
  return (
    <Dialog title={t.compare.title} wide onClose={props.onClose} onKeyDown={voteByKey}>
      <p class="dialog-note">{t.compare.lead}</p>
      <CompareModels
        choices={props.choices}
        chosen={comparing.chosen}
        disabled={isBusy}
        onChosen={comparing.setChosen}
      />
      <Toggle
        label={t.compare.blind}
        hint={t.compare.blindHint}
        checked={blind}
        disabled={isBusy}
        onChange={comparing.setBlind}
      />
      <QuestionForm
        comparing={comparing}
        // Where number keys vote; in the field they would be typed.
        onAsked={() => answers.current?.focus()}
        onView={props.onView}
      />
      <section ref={answers} class="compare-columns" tabIndex={-1} aria-label={t.compare.answers}>
        {columns.map((column, index) => (
          <CompareColumn
            key={column.choice.id}
            column={column}
            letter={String.fromCharCode(65 + index)}
            hidden={comparing.namesHidden}
            best={voted?.verdict === index}
            onBest={canVote && canWin(column.turn) ? () => vote(index) : undefined}
            onAdopt={isBusy || asked === undefined ? undefined : adopt(column)}
          />
        ))}
      </section>
      {canVote && (
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
        {comparing.hasTooFew ? t.compare.noVote : ""}
      </p>
      {voted !== undefined && <Votes votes={voted.votes} />}
    </Dialog>
  );
}

interface QuestionFormProps {
  readonly comparing: Comparing;
  readonly onAsked: () => void;
  readonly onView: CompareDialogProps["onView"];
}

function QuestionForm({ comparing, onAsked, onView }: QuestionFormProps): JSX.Element {
  const t = useTexts();
  const { pictures, question, isBusy, isReady } = comparing;
  return (
    <form
      class="compare-question"
      onSubmit={(event) => {
        event.preventDefault();
        if (isBusy) return comparing.stop();
        if (!isReady) return;
        comparing.ask();
        onAsked();
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
              onOpen={() => onView(pictures, picture.id)}
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
            onInput={(event) => comparing.setQuestion(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button button-primary" disabled={!isBusy && !isReady}>
          {isBusy ? t.stop : t.compare.ask}
        </button>
      </div>
    </form>
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
      )}{" "}
      <a href="review/?votes" target="_blank" rel="noopener">
        {t.compare.look}
      </a>
    </p>
  );
}
