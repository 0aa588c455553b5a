// What can be done with an answer: page between its versions, copy it, ask for another, judge it, see its figures.
import type { JSX } from "preact";
import { opinions, type AssistantTurn, type Opinion } from "#chat/conversation/conversation.ts";
import { AnswerFigures } from "./AnswerFigures.tsx";
import type { AnswerTurnProps } from "./AnswerTurn.tsx";
import { CheckIcon, CopyIcon, FlagIcon, RegenerateIcon, ThumbIcon, WarnIcon } from "#ui/parts/icons.tsx";
import { Pager } from "./Pager.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useCopyState } from "#ui/parts/use-copy-state.ts";

/** Always seen under the last answer; under an earlier one when the pointer or the keyboard is at it, in the gap below, so that it takes no room. */
export function AnswerTools({ turn, alternatives, busy, actions }: AnswerTurnProps): JSX.Element {
  const t = useTexts();
  return (
    <footer class="answer-foot">
      <Pager {...alternatives} disabled={busy} onPage={(step) => actions.onPage(turn.id, step)} />
      <span class="answer-tools">
        {turn.text !== "" && <CopyButton text={turn.text} />}
        <button
          type="button"
          class="icon-button icon-button-small"
          aria-label={t.turnTools.regenerate}
          title={t.turnTools.regenerate}
          disabled={busy}
          onClick={() => actions.onRegenerate(turn.id)}
        >
          <RegenerateIcon />
        </button>
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
        <button
          key={opinion}
          type="button"
          class={`icon-button icon-button-small opinion-${opinion}`}
          aria-label={t.opinions[opinion]}
          title={t.opinions[opinion]}
          aria-pressed={opinion === "flag" ? turn.flagged === true : turn.opinion === opinion}
          onClick={() => onJudge(opinion)}
        >
          {opinion === "flag" ? <FlagIcon /> : <ThumbIcon />}
        </button>
      ))}
    </span>
  );
}

/** Pages over plain HTTP have no clipboard at all; others may be refused it. */
async function copy(text: string): Promise<"copied" | "failed"> {
  try {
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch {
    return "failed";
  }
}

function CopyButton({ text }: { readonly text: string }): JSX.Element {
  const t = useTexts();
  const [state, setState] = useCopyState();
  const label = state === "copied" ? t.copied : state === "failed" ? t.copyFailed : t.copy;
  return (
    <button
      type="button"
      class="icon-button icon-button-small"
      aria-label={label}
      title={label}
      onClick={() => {
        void copy(text).then(setState);
      }}
    >
      {state === "copied" ? <CheckIcon /> : state === "failed" ? <WarnIcon /> : <CopyIcon />}
    </button>
  );
}
