// A statistic as one page: no script, nothing from elsewhere, light and dark. Knows no disk.
import { figure, sections, totals, type Section } from "./sections.ts";
import type { StatsReport } from "./stats.ts";

const style = `
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --bar: #2f6fde; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #30363d; --bar: #5b94f5; --paper: #0d1117; } }
body { margin: 0 auto; padding: 24px 16px 64px; max-width: 1100px; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 24px; overflow-wrap: anywhere; }
h2 { margin: 0 0 2px; font-size: 16px; }
p { margin: 0 0 8px; color: var(--soft); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: 12px; margin: 20px 0; }
dl div { padding: 10px 12px; border: 1px solid var(--line); border-radius: 8px; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; font-size: 22px; font-variant-numeric: tabular-nums; }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 32px 40px; align-items: start; }
svg { display: block; width: 100%; height: auto; }
text { fill: var(--ink); font: 13px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
rect { fill: var(--bar); }
`;

/** `title` names the data. */
export function statsHtml(title: string, report: StatsReport): string {
  const boxes = totals(report).map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${value}</dd></div>`);
  const notes = report.notes.map((note) => `<p>${escaped(note)}</p>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<dl>
${boxes.join("\n")}
</dl>
${notes.join("\n")}
<main>
${sections(report).map(sectionHtml).join("\n")}
</main>
</body>
</html>
`;
}

const [width, rowHeight, barTo] = [520, 24, 430];
/** About what a label takes; characters from Chinese on are wide. */
const widthOf = (label: string): number => Array.from(label).reduce((sum, one) => sum + (one > "\u2e80" ? 14 : 7.6), 0);

function sectionHtml({ title, summary, bars }: Section): string {
  const most = Math.max(...bars.map(({ count }) => count));
  const shown = bars.map(({ label, count }) => ({
    label: label.length > 26 ? `${label.slice(0, 25)}…` : label,
    count,
  }));
  const barFrom = Math.min(200, Math.ceil(12 + Math.max(...shown.map(({ label }) => widthOf(label)))));
  const rows = shown.map(({ label, count }, at) => {
    const y = at * rowHeight;
    const length = count === 0 ? 0 : Math.max(1, (count / most) * (barTo - barFrom));
    return `<text x="${barFrom - 8}" y="${y + 16}" text-anchor="end">${escaped(label)}</text><rect x="${barFrom}" y="${y + 4}" width="${length.toFixed(1)}" height="${rowHeight - 8}" rx="3"/><text x="${(barFrom + length + 6).toFixed(1)}" y="${y + 16}">${figure(count)}</text>`;
  });
  const told = bars.map(({ label, count }) => `${label}: ${figure(count)}`).join("; ");
  const note = summary === "" ? "" : `<p>${escaped(summary)}</p>`;
  return `<section>
<h2>${escaped(title)}</h2>
${note}<svg viewBox="0 0 ${width} ${bars.length * rowHeight}" role="img" aria-label="${escaped(`${title}. ${told}`)}">
${rows.join("\n")}
</svg>
</section>`;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
