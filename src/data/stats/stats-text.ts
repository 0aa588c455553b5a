// A statistic as text for a terminal, with bars of blocks. Knows no colours.
import { figure, sections, totals } from "./sections.ts";
import type { StatsReport } from "./stats.ts";

const barWidth = 40;

export function statsText(report: StatsReport): string {
  const lines = totals(report).map(([name, value]) => `${value.padStart(12)}  ${name}`);
  for (const { title, summary, bars } of sections(report)) {
    lines.push("", title, ...(summary === "" ? [] : [`  ${summary}`]));
    const most = Math.max(...bars.map(({ count }) => count));
    const widest = Math.max(...bars.map(({ label }) => label.length));
    for (const { label, count } of bars)
      lines.push(
        `  ${label.padEnd(widest)}  ${figure(count).padStart(9)}  ${"█".repeat(Math.ceil((count / most) * barWidth))}`,
      );
  }
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
