// The conversation in reading order; follows the answer as it grows, unless the reader scrolled away.
import { Fragment, type ComponentChildren, type JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { alternativesOf, versionsOf } from "#chat/conversation/branches.ts";
import { isBusy, picturesIn, type Conversation, type Turn } from "#chat/conversation/conversation.ts";
import { AnswerTurn } from "./AnswerTurn.tsx";
import { QuestionTurn } from "./QuestionTurn.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import type { TurnActions } from "./turn-actions.ts";

interface TurnsProps {
  readonly conversation: Conversation;
  /** Id of the question that is being edited. */
  readonly editing: string | undefined;
  readonly actions: TurnActions;
  /** What stands below the last turn. */
  readonly after?: ComponentChildren;
}

/** How close to the end counts as reading along, in CSS pixels. */
const followDistance = 120;

/** Must be rendered in a page that scrolls as a whole; give it the conversation's id as its key. */
export function Turns({ conversation, editing, actions, after }: TurnsProps): JSX.Element {
  const t = useTexts();
  const following = useRef(true);
  const { turns, memoryStart } = conversation;
  const last = turns.at(-1);
  const pictures = picturesIn(turns);
  const lastQuestion = turns.findLast((turn) => turn.role === "user");
  const busy = isBusy(conversation);
  useEffect(() => {
    const note = (): void => {
      const page = document.documentElement;
      following.current = page.scrollHeight - page.scrollTop - page.clientHeight < followDistance;
    };
    addEventListener("scroll", note, { passive: true });
    return () => removeEventListener("scroll", note);
  }, []);
  useLayoutEffect(() => {
    // A new question scrolls to its answer; paging between versions does not scroll.
    if (busy) following.current = true;
  }, [busy]);
  useLayoutEffect(() => {
    if (following.current) scrollTo({ top: document.documentElement.scrollHeight });
  }, [turns.length, last]);
  return (
    <section class="turns" aria-label={t.conversation} data-testid="conversation">
      <h1 class="visually-hidden">{t.conversation}</h1>
      {turns.map((turn, index) => (
        // Keyed by place: an alternative takes the same place, and the keyboard stays on its button.
        <Fragment key={index}>
          {turn.id === memoryStart && index > 0 && <p class="memory-start">{t.turnTools.forgotten}</p>}
          {turn.role === "user" ? (
            <QuestionTurn
              turn={turn}
              alternatives={alternativesOf(conversation, turn.id)}
              busy={busy}
              editing={turn.id === editing && !busy}
              isLast={turn === lastQuestion}
              pictures={pictures}
              actions={actions}
            />
          ) : (
            <AnswerTurn
              turn={turn}
              alternatives={alternativesOf(conversation, turn.id)}
              isLast={turn === last}
              saysTheSame={
                turn.status === "done" && turn.text !== "" && isRepetition(turn, versionsOf(conversation, turn.id))
              }
              busy={busy}
              canForget={turns.length > 2}
              actions={actions}
            />
          )}
        </Fragment>
      ))}
      {after}
    </section>
  );
}

/** Whether an older version of the turn says the very same. */
function isRepetition(turn: Turn, versions: readonly Turn[]): boolean {
  return versions.some((other) => (other.at ?? 0) < (turn.at ?? 0) && other.text.trim() === turn.text.trim());
}
