// A report as aligned lines for a terminal. Knows no colours.
import { toMarkdown, type Report } from "./report.ts";

/** The report's Markdown with its table's columns aligned and its marks gone. */
export function toTerminal(report: Report): string {
  const lines = toMarkdown(report).split("\n");
  const rows = lines.filter((line) => line.startsWith("|")).map(cellsOf);
  const widths = (rows[0] ?? []).map((_, i) =>
    Math.max(...rows.map((cells) => (isRule(cells) ? 0 : (cells[i] ?? "").length))),
  );
  return lines
    .flatMap((line) => {
      if (!line.startsWith("|")) return [line.replace(/^## /, "")];
      const cells = cellsOf(line);
      if (isRule(cells)) return [];
      return [cells.map((text, i) => padded(text, widths[i] ?? 0, i === 1)).join("  ").trimEnd()]; // prettier-ignore
    })
    .join("\n");
}

const cellsOf = (line: string): string[] => line.slice(1, -1).split("|").map((cell) => cell.trim()); // prettier-ignore
const isRule = (cells: readonly string[]): boolean => cells.every((cell) => /^-+:?$/.test(cell));

function padded(text: string, width: number, atRight: boolean): string {
  const space = " ".repeat(Math.max(0, width - text.length));
  return atRight ? space + text : text + space;
}
