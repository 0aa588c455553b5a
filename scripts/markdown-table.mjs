// Tables in Markdown, written as Prettier writes them.

/** The table with columns of even width. */
export function table(header, lines) {
  const all = [header, ...lines];
  const widths = header.map((_, column) => Math.max(3, ...all.map((cells) => cells[column].length)));
  const row = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [row(header), row(widths.map((width) => "-".repeat(width))), ...lines.map(row)].join("\n");
}
