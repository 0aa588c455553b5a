// The figures of a statistic in the order in which text and page show them. Pure.
import type { StatsReport } from "./stats.ts";
import type { TallySummary } from "./tally.ts";

export interface Section {
  readonly title: string;
  /** Mean, median and the like, in a line; "" for none. */
  readonly summary: string;
  readonly bars: readonly { readonly label: string; readonly count: number }[];
}

export const figure = (value: number): string =>
  value.toLocaleString("en", { maximumFractionDigits: Number.isInteger(value) ? 0 : 1 });

/** The counts on top. */
export function totals(report: StatsReport): (readonly [name: string, value: string])[] {
  const { conversations, questions, answers, withoutPicture, differentPictures, withSystem, pictures } = report;
  return [
    ["conversations", figure(conversations)],
    ["questions", figure(questions)],
    ["answers", figure(answers)],
    ["pictures shown", figure(Math.round((pictures?.mean ?? 0) * conversations))],
    ["different pictures", figure(differentPictures)],
    ["without a picture", figure(withoutPicture)],
    ["with a system prompt", figure(withSystem)],
  ];
}

/** Everything that has something to show. */
export function sections(report: StatsReport): Section[] {
  const tallies: (readonly [string, TallySummary | undefined])[] = [
    ["Words per question", report.questionWords],
    ["Words per answer", report.answerWords],
    ["Questions per conversation", report.turns],
    ["Pictures per conversation", report.pictures],
    ["Tokens per conversation", report.tokens],
    ["Longer side of the pictures, in pixels", report.pictureSides],
  ];
  const lists = [
    ["Scripts (conversations)", report.languages],
    ["How questions begin", report.questionBeginnings],
    ["How answers begin", report.answerBeginnings],
    ["Formats of the pictures", report.pictureKinds],
    ["Most frequent sizes of pictures", report.pictureSizes],
  ] as const;
  return [
    ...tallies.flatMap(([title, tally]): Section[] => (tally === undefined ? [] : [histogram(title, tally)])),
    ...lists.flatMap(([title, list]): Section[] => {
      const bars = list.map(({ text, count }) => ({ label: text, count }));
      return bars.length === 0 ? [] : [{ title, summary: "", bars }];
    }),
  ];
}

function histogram(title: string, { bins, mean, median, p90, p99, least, most }: TallySummary): Section {
  const label = (from: number, to: number): string =>
    to === Infinity ? `${figure(from)} or more` : from === to ? figure(from) : `${figure(from)}–${figure(to)}`;
  return {
    title,
    summary: `mean ${figure(mean)}, median ${figure(median)}, 90 % up to ${figure(p90)}, 99 % up to ${figure(p99)}, from ${figure(least)} to ${figure(most)}`,
    bars: bins.map(({ from, to, count }) => ({ label: label(from, to), count })),
  };
}
