// One answer: the words as they come, how it ended, and how it can go on.
import type { JSX } from "preact";
import type { Alternatives } from "#chat/conversation/branches.ts";
import type { AssistantTurn } from "#chat/conversation/conversation.ts";
import { canContinue } from "#chat/run-turn.ts";
import { AnswerTools } from "./AnswerTools.tsx";
import { FailureWords } from "#ui/notes/FailureWords.tsx";
import { WarnIcon } from "#ui/parts/icons.tsx";
import { Markdown } from "#ui/markdown/Markdown.tsx";
import { lazy } from "#ui/parts/lazy.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import type { TurnActions } from "./turn-actions.ts";

const Correction = lazy(async () => (await import("#ui/teach/Correction.tsx")).Correction);

export interface AnswerTurnProps {
  readonly turn: AssistantTurn;
  readonly alternatives: Alternatives;
  /** Only the last answer can go on. */
  readonly isLast: boolean;
  /** An answer is under way, this one or the last. */
  readonly busy: boolean;
  /** Asked for another answer, the model gave the one that was there before. */
  readonly saysTheSame: boolean;
  /** Whether there are older turns that the model could do without. */
  readonly canForget: boolean;
  readonly actions: TurnActions;
}

/** `data-status` is the turn's status; the words stand in `data-testid="answer"`, which is `aria-busy` until all are there. */
export function AnswerTurn(props: AnswerTurnProps): JSX.Element {
  const { turn, isLast, actions } = props;
  const t = useTexts();
  const under = turn.status === "queued" || turn.status === "running";
  return (
    <article
      class={`turn turn-assistant${isLast ? " turn-last" : ""}`}
      aria-label={t.assistant}
      // A finger has no hover: a touch brings the focus here, which shows the tools.
      tabIndex={-1}
      data-testid="answer-turn"
      data-status={turn.status}
    >
      {turn.model?.host !== undefined && (
        <p class="answer-model" data-testid="answer-model">
          {t.remote.answeredBy(turn.model.name, turn.model.host)}
        </p>
      )}
      <Markdown text={turn.text} class={`answer${under ? " answer-running" : ""}`} testId="answer" />
      {under && turn.text === "" && (
        <p class="answer-stage">
          <span class="pulse" />
          {turn.status === "queued" ? t.queued : t.stages[turn.stage?.stage ?? "image"]}
        </p>
      )}
      {turn.silentMs !== undefined && (
        <p class="answer-note" data-testid="server-silent">
          {t.remote.silent(Math.round(turn.silentMs / 1000))}{" "}
          <button type="button" class="link-button" onClick={actions.onStop}>
            {t.stop}
          </button>
        </p>
      )}
      {turn.failure !== undefined && (
        <div class="failure" role="alert" data-testid="answer-failure" data-code={turn.failure.code}>
          <WarnIcon />
          <div>
            <FailureWords {...turn.failure} />
          </div>
          {isLast && <NextStep {...props} />}
        </div>
      )}
      {!under && <Notes {...props} />}
      {!under && <AnswerTools {...props} />}
      {!under && turn.opinion !== undefined && turn.text !== "" && (
        <Correction turn={turn} teaching={actions.teaching} />
      )}
    </article>
  );
}

/** What has to be said about how an answer ended, and how it can go on. */
function Notes({ turn, isLast, saysTheSame, canForget, actions }: AnswerTurnProps): JSX.Element | null {
  const t = useTexts();
  const note = ((): string | undefined => {
    if (turn.status === "stopped") return t.stopped;
    if (turn.reason === "length") return t.cutOff;
    if (turn.reason === "context") return t.cutOffByContext;
    if (turn.ending !== undefined && turn.text !== "")
      return turn.ending === "" ? t.remote.endedSilently : t.remote.endedWith(turn.ending);
    if (saysTheSame) return t.chat.sameAnswer;
    return turn.status === "done" && turn.text === "" ? t.emptyAnswer : undefined;
  })();
  if (note === undefined) return null;
  const steps: readonly (readonly [string, () => void])[] = !isLast
    ? []
    : [
        ...(canContinue(turn) ? [[t.turnTools.continue, actions.onContinue] as const] : []),
        ...(turn.status === "stopped" ? [[t.tryAgain, actions.onRetry] as const] : []),
        ...(turn.reason === "context" && canForget ? [[t.budget.forget, actions.onForget] as const] : []),
      ];
  return (
    <p class="answer-note">
      {note}
      {steps.map(([label, act]) => (
        <span key={label}>
          {" "}
          <button type="button" class="link-button" onClick={act}>
            {label}
          </button>
        </span>
      ))}
    </p>
  );
}

/** The clicks that lead on after a failure. */
function NextStep({ turn, canForget, actions }: AnswerTurnProps): JSX.Element {
  const t = useTexts();
  const code = turn.failure?.code;
  const restart = code === "device-lost" || code === "worker-dead" || code === "out-of-memory";
  const steps: readonly (readonly [string, () => void])[] =
    code === "context-full" || code === "server-context"
      ? [...(canForget ? [[t.budget.forget, actions.onForget] as const] : []), [t.newChat, actions.onNewChat]]
      : [[restart ? t.startAgain : t.tryAgain, actions.onRetry]];
  return (
    <>
      {steps.map(([label, act]) => (
        <button key={label} type="button" class="button" onClick={act}>
          {label}
        </button>
      ))}
    </>
  );
}
