// One answer: the words as they come, how it ended, and what it took.
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { tokensPerSecond, type AssistantTurn } from "#chat/conversation.ts";
import { Disclosure } from "./Disclosure.tsx";
import { formatDuration, formatNumber, formatRate } from "./format.ts";
import { CheckIcon, CopyIcon, WarnIcon } from "./icons.tsx";
import { renderMarkdown } from "./markdown.ts";
import { useTexts, type Texts } from "./texts/texts.ts";

interface AnswerTurnProps {
  readonly turn: AssistantTurn;
  /** Only the last answer can be asked for again. */
  readonly isLast: boolean;
  readonly onRetry: () => void;
  readonly onNewChat: () => void;
}

/** `data-status` is the turn's status; the words stand in `data-testid="answer"`. */
export function AnswerTurn({ turn, isLast, onRetry, onNewChat }: AnswerTurnProps): JSX.Element {
  const t = useTexts();
  const html = useMemo(() => ({ __html: renderMarkdown(turn.text) }), [turn.text]);
  const under = turn.status === "queued" || turn.status === "running";
  return (
    <article class="turn turn-assistant" aria-label={t.assistant} data-testid="answer-turn" data-status={turn.status}>
      <div class={`answer${under ? " answer-running" : ""}`} data-testid="answer" dangerouslySetInnerHTML={html} />
      {under && turn.text === "" && (
        <p class="answer-stage">
          <span class="pulse" />
          {turn.status === "queued" ? t.queued : t.stages[turn.stage?.stage ?? "image"]}
        </p>
      )}
      {turn.failure !== undefined && (
        <div class="failure" role="alert" data-testid="answer-failure" data-code={turn.failure.code}>
          <WarnIcon />
          <p>{t.errors[turn.failure.code]}</p>
          {isLast && <NextStep turn={turn} onRetry={onRetry} onNewChat={onNewChat} />}
        </div>
      )}
      {!under && <Notes turn={turn} retry={isLast && turn.status === "stopped" ? onRetry : undefined} />}
      {!under && (turn.text !== "" || turn.timings !== undefined) && (
        <footer class="answer-foot">
          {turn.text !== "" && <CopyButton text={turn.text} />}
          <Figures turn={turn} />
        </footer>
      )}
    </article>
  );
}

/** What has to be said about how an answer ended. */
function Notes({
  turn,
  retry,
}: {
  readonly turn: AssistantTurn;
  readonly retry: (() => void) | undefined;
}): JSX.Element | null {
  const t = useTexts();
  const note =
    turn.status === "stopped"
      ? t.stopped
      : turn.reason === "length"
        ? t.cutOff
        : turn.status === "done" && turn.text === ""
          ? t.emptyAnswer
          : undefined;
  if (note === undefined) return null;
  return (
    <p class="answer-note">
      {note}{" "}
      {retry !== undefined && (
        <button type="button" class="link-button" onClick={retry}>
          {t.tryAgain}
        </button>
      )}
    </p>
  );
}

/** The one click that leads on after a failure. */
function NextStep({ turn, onRetry, onNewChat }: Omit<AnswerTurnProps, "isLast">): JSX.Element {
  const t = useTexts();
  const code = turn.failure?.code;
  const [label, act] =
    code === "context-full"
      ? [t.newChat, onNewChat]
      : [
          code === "device-lost" || code === "worker-dead" || code === "out-of-memory" ? t.startAgain : t.tryAgain,
          onRetry,
        ];
  return (
    <button type="button" class="button" onClick={act}>
      {label}
    </button>
  );
}

/** Pace and device in one line, the rest behind "Details". */
function Figures({ turn }: { readonly turn: AssistantTurn }): JSX.Element | null {
  const t = useTexts();
  const { usage, timings, device } = turn;
  if (usage === undefined || timings === undefined) return null;
  const rate = tokensPerSecond(turn);
  const line = [
    ...(rate === undefined ? [] : [formatRate(t, rate)]),
    t.firstToken(formatDuration(t, timings.firstTokenMs)),
    ...(device === undefined ? [] : [t.deviceNames[device]]),
  ];
  const splits: readonly (readonly [string, number])[] = [
    [t.timingImage, timings.imageMs],
    [t.timingVision, timings.visionMs],
    [t.timingPrefill, timings.prefillMs],
    [t.timingDecode, timings.decodeMs],
  ];
  const longest = Math.max(1, ...splits.map(([, ms]) => ms));
  return (
    <Disclosure
      class="figures"
      panelLabel={t.detailsTitle}
      attributes={{ "data-testid": "answer-figures" }}
      button={
        <>
          <span class="visually-hidden">{t.details}: </span>
          {line.map((part) => (
            <span key={part} class="figure">
              {part}
            </span>
          ))}
        </>
      }
    >
      <p class="panel-title">{t.detailsTitle}</p>
      <dl class="facts facts-bars">
        {splits.map(([name, ms]) => (
          <TimingRow key={name} t={t} name={name} ms={ms} longest={longest} />
        ))}
        <dt>{t.timingTotal}</dt>
        <dd />
        <dd>{formatDuration(t, timings.totalMs)}</dd>
      </dl>
      <dl class="facts">
        <dt>{t.tokensRead}</dt>
        <dd>{t.tokensReadValue(formatNumber(t, usage.promptTokens), formatNumber(t, usage.cachedTokens))}</dd>
        <dt>{t.tokensPictures}</dt>
        <dd>{formatNumber(t, usage.imageTokens)}</dd>
        <dt>{t.tokensWritten}</dt>
        <dd>{formatNumber(t, usage.newTokens)}</dd>
      </dl>
    </Disclosure>
  );
}

interface TimingRowProps {
  readonly t: Texts;
  readonly name: string;
  readonly ms: number;
  readonly longest: number;
}

function TimingRow({ t, name, ms, longest }: TimingRowProps): JSX.Element {
  return (
    <>
      <dt>{name}</dt>
      <dd aria-hidden="true">
        <meter value={ms} max={longest} />
      </dd>
      <dd>{formatDuration(t, ms)}</dd>
    </>
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
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return undefined;
    const timer = setTimeout(() => setState("idle"), 2000);
    return () => clearTimeout(timer);
  }, [state]);
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
