// One answer: the words as they come, how it ended, and what it took.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Alternatives } from "#chat/conversation-branches.ts";
import { opinions, tokensPerSecond, type AssistantTurn, type Failure, type Opinion } from "#chat/conversation.ts";
import { canContinue } from "#chat/run-turn.ts";
import { Disclosure } from "./Disclosure.tsx";
import { formatDuration, formatNumber, formatRate } from "./format.ts";
import { CheckIcon, CopyIcon, FlagIcon, RegenerateIcon, ThumbIcon, WarnIcon } from "./icons.tsx";
import { Markdown } from "./Markdown.tsx";
import { Pager } from "./Pager.tsx";
import { useTexts, type Texts } from "./texts/texts.ts";
import type { TurnActions } from "./turn-actions.ts";

interface AnswerTurnProps {
  readonly turn: AssistantTurn;
  readonly alternatives: Alternatives;
  /** Only the last answer can go on. */
  readonly isLast: boolean;
  /** An answer is under way, this one or the last. */
  readonly busy: boolean;
  /** Whether there are older turns that the model could do without. */
  readonly canForget: boolean;
  readonly actions: TurnActions;
}

/** `data-status` is the turn's status; the words stand in `data-testid="answer"`. */
export function AnswerTurn(props: AnswerTurnProps): JSX.Element {
  const { turn, isLast, busy, actions } = props;
  const t = useTexts();
  const under = turn.status === "queued" || turn.status === "running";
  return (
    <article class="turn turn-assistant" aria-label={t.assistant} data-testid="answer-turn" data-status={turn.status}>
      {turn.model?.host !== undefined && (
        <p class="answer-model" data-testid="answer-model">
          {t.remote.answeredBy(turn.model.name, turn.model.host)}
        </p>
      )}
      <div class={`answer${under ? " answer-running" : ""}`} data-testid="answer">
        <Markdown text={turn.text} />
      </div>
      {under && turn.text === "" && (
        <p class="answer-stage">
          <span class="pulse" />
          {turn.status === "queued" ? t.queued : t.stages[turn.stage?.stage ?? "image"]}
        </p>
      )}
      {turn.failure !== undefined && (
        <div class="failure" role="alert" data-testid="answer-failure" data-code={turn.failure.code}>
          <WarnIcon />
          <div>
            <p>{t.errors[turn.failure.code]}</p>
            {isServers(turn.failure) && <p class="said">{t.remote.said(turn.failure.detail)}</p>}
          </div>
          {isLast && <NextStep {...props} />}
        </div>
      )}
      {!under && <Notes {...props} />}
      {!under && (
        <footer class="answer-foot">
          <Pager
            {...props.alternatives}
            disabled={busy}
            onPage={(step) => {
              actions.onPage(turn.id, step);
            }}
          />
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
          <Figures turn={turn} />
        </footer>
      )}
    </article>
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
          aria-pressed={turn.opinion === opinion}
          onClick={() => onJudge(opinion)}
        >
          {opinion === "flag" ? <FlagIcon /> : <ThumbIcon />}
        </button>
      ))}
    </span>
  );
}

/** Whether the detail is what a server said, which only it can explain. */
function isServers({ code, detail }: Failure): boolean {
  return detail !== "" && (code === "server-rejected" || code === "server-failed" || code === "server-busy");
}

/** What has to be said about how an answer ended, and how it can go on. */
function Notes({ turn, isLast, canForget, actions }: AnswerTurnProps): JSX.Element | null {
  const t = useTexts();
  const note = ((): string | undefined => {
    if (turn.status === "stopped") return t.stopped;
    if (turn.reason === "length") return t.cutOff;
    if (turn.reason === "context") return t.cutOffByContext;
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
