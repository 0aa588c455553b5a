// Reads files of one JSON value per line, as people's tools leave them: with a byte order mark, Windows line ends, blank lines, or a last line that
// was cut off. Knows no fields.
import { parseJson } from "#formats/json.ts";

interface JsonLine {
  readonly value: unknown;
  /** Counted from 1. */
  readonly line: number;
}

export interface JsonLines {
  readonly rows: readonly JsonLine[];
  /** Numbers of the lines that are no JSON, without the cut one. */
  readonly broken: readonly number[];
  /** Whether the file ends within its last line. */
  readonly cut: boolean;
}

/** Parses every line that is not blank. */
export function parseJsonLines(text: string): JsonLines {
  const rows: JsonLine[] = [];
  const broken: number[] = [];
  let cut = false;
  const lines = withoutMark(text).split("\n");
  for (const [i, raw] of lines.entries()) {
    if (raw.trim() === "") continue;
    const value = parseJson(raw);
    if (value !== undefined) rows.push({ value, line: i + 1 });
    else if (i === lines.length - 1) cut = true;
    else broken.push(i + 1);
  }
  return { rows, broken, cut };
}

/** The text without a byte order mark. */
export function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
