// Announces answers to screen readers: when one begins, and its whole text when it has ended, but not every word in between.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { AssistantTurn } from "#chat/conversation/conversation.ts";
import { useTexts } from "#ui/texts/texts.ts";

/** Must be rendered before the first answer: screen readers ignore a live region that appears with its text. */
export function Announcer({ turn }: { readonly turn: AssistantTurn | undefined }): JSX.Element {
  const t = useTexts();
  // An answer that came back with the page is old news.
  const witnessed = useRef<string | undefined>(undefined);
  if (turn?.status === "queued" || turn?.status === "running") witnessed.current = turn.id;
  const words = ((): string => {
    if (turn === undefined || turn.id !== witnessed.current) return "";
    if (turn.status === "queued") return t.queued;
    if (turn.status === "running") return t.announceAnswering;
    // A failure is announced by its own alert.
    if (turn.status === "failed") return "";
    if (turn.text !== "") return t.announceAnswer(turn.text);
    return turn.status === "stopped" ? t.stopped : t.emptyAnswer;
  })();
  return (
    <p class="visually-hidden" role="status" data-testid="announcer">
      {words}
    </p>
  );
}
