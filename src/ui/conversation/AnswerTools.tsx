// What can be done with an answer: page between its versions, copy it, ask for another, judge it, see its figures.
import type { JSX } from "preact";
import { opinions, type AssistantTurn, type Opinion } from "#chat/conversation/conversation.ts";
import { AnswerFigures } from "./AnswerFigures.tsx";
import type { AnswerTurnProps } from "./AnswerTurn.tsx";
import { CopyButton } from "#ui/parts/CopyButton.tsx";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { FlagIcon, RegenerateIcon, ThumbIcon } from "#ui/parts/icons.tsx";
import { Pager } from "./Pager.tsx";
import { useTexts } from "#ui/texts/texts.ts";

/** Always seen under the last answer; under an earlier one when the pointer or the keyboard is at it, in the gap below, so that it takes no room. */
export function AnswerTools({ turn, alternatives, busy, actions }: AnswerTurnProps): JSX.Element {
  const t = useTexts();
  return (
    <footer class="answer-foot">
      <Pager {...alternatives} disabled={busy} onPage={(step) => actions.onPage(turn.id, step)} />
      <span class="answer-tools">
        {turn.text !== "" && <CopyButton text={turn.text} label={t.copy} />}
        <IconButton label={t.turnTools.regenerate} small disabled={busy} onClick={() => actions.onRegenerate(turn.id)}>
          <RegenerateIcon />
        </IconButton>
        {turn.text !== "" && <Opinions turn={turn} onJudge={(opinion) => actions.onJudge(turn.id, opinion)} />}
        <AnswerFigures turn={turn} />
      </span>
    </footer>
  );
}

/** Two thumbs and a flag, as in LLaVA's demo; kept with the conversation, sent nowhere. */
function Opinions({
  turn,
  onJudge,
}: {
  readonly turn: AssistantTurn;
  readonly onJudge: (opinion: Opinion) => void;
}): JSX.Element {
  const t = useTexts();
  return (
    <span class="opinions" role="group" aria-label={t.opinions.title}>
      {opinions.map((opinion) => (
        <IconButton
          key={opinion}
          label={t.opinions[opinion]}
          small
          kind={`opinion-${opinion}`}
          aria-pressed={opinion === "flag" ? turn.flagged === true : turn.opinion === opinion}
          onClick={() => onJudge(opinion)}
        >
          {opinion === "flag" ? <FlagIcon /> : <ThumbIcon />}
        </IconButton>
      ))}
    </span>
  );
}
