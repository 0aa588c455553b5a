// The conversation in reading order; follows the answer as it grows, unless the reader scrolled away.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Turn, UserTurn } from "#chat/conversation.ts";
import { AnswerTurn } from "./AnswerTurn.tsx";
import { useTexts } from "./texts/texts.ts";
import { Thumbnail } from "./Thumbnail.tsx";

interface TurnsProps {
  readonly turns: readonly Turn[];
  readonly onRetry: () => void;
  readonly onNewChat: () => void;
}

/** How close to the end counts as reading along, in CSS pixels. */
const followDistance = 120;

/** Must be rendered in a page that scrolls as a whole. */
export function Turns({ turns, onRetry, onNewChat }: TurnsProps): JSX.Element {
  const t = useTexts();
  const following = useRef(true);
  const last = turns.at(-1);
  useEffect(() => {
    const note = (): void => {
      const page = document.documentElement;
      following.current = page.scrollHeight - page.scrollTop - page.clientHeight < followDistance;
    };
    addEventListener("scroll", note, { passive: true });
    return () => removeEventListener("scroll", note);
  }, []);
  useLayoutEffect(() => {
    following.current = true;
  }, [turns.length]);
  useLayoutEffect(() => {
    if (following.current) scrollTo({ top: document.documentElement.scrollHeight });
  }, [turns.length, last]);
  return (
    <section class="turns" aria-label={t.conversation} data-testid="conversation">
      <h1 class="visually-hidden">{t.conversation}</h1>
      {turns.map((turn) =>
        turn.role === "user" ? (
          <Question key={turn.id} turn={turn} />
        ) : (
          <AnswerTurn key={turn.id} turn={turn} isLast={turn === last} onRetry={onRetry} onNewChat={onNewChat} />
        ),
      )}
    </section>
  );
}

function Question({ turn }: { readonly turn: UserTurn }): JSX.Element {
  const t = useTexts();
  return (
    <article class="turn turn-user" aria-label={t.you} data-testid="question-turn">
      {turn.pictures.length > 0 && (
        <div class={`turn-pictures${turn.pictures.length === 1 ? " turn-pictures-one" : ""}`}>
          {turn.pictures.map((picture, index) => (
            <Thumbnail key={picture.id} picture={picture} index={index + 1} />
          ))}
        </div>
      )}
      {turn.text !== "" && <p class="bubble">{turn.text}</p>}
    </article>
  );
}
