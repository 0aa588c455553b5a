// What an answer took: pace, device, times and tokens, behind one small button.
import type { JSX } from "preact";
import { tokensPerSecond, type AssistantTurn } from "#chat/conversation/conversation.ts";
import { Disclosure } from "#ui/parts/Disclosure.tsx";
import { formatDuration, formatNumber, formatRate } from "#ui/parts/format.ts";
import { InfoIcon } from "#ui/parts/icons.tsx";
import { useTexts, type Texts } from "#ui/texts/texts.ts";

/** Nothing where nothing was measured. The button's name tells pace and device too, for screen readers. */
export function AnswerFigures({ turn }: { readonly turn: AssistantTurn }): JSX.Element | null {
  const t = useTexts();
  const { usage, timings, device } = turn;
  if (usage === undefined || timings === undefined) return null;
  const rate = tokensPerSecond(turn);
  const line = [
    ...(rate === undefined ? [] : [formatRate(t, rate)]),
    t.firstToken(formatDuration(t, timings.firstTokenMs)),
    ...(device === undefined ? [] : [t.deviceNames[device]]),
  ].join(" · ");
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
        <span class="icon-button icon-button-small" title={t.detailsTitle}>
          <InfoIcon />
          <span class="visually-hidden">
            {t.details}: {line}
          </span>
        </span>
      }
    >
      <p class="panel-title">{t.detailsTitle}</p>
      <p class="figures-line">{line}</p>
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
