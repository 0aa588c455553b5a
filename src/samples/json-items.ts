// Takes the values out of a JSON list, JSON lines or a single value while the text streams in; one value is in memory at a time.
// Accepts Python's NaN and Infinity, which JSON forbids. Knows no conversation.
import { endOfString, parsePythonJson } from "#formats/json.ts";
import { sampleLimits } from "./limits.ts";

export interface JsonItem {
  /** Counts from 1, over the whole file. */
  readonly item: number;
  /** Where it begins; counts from 1. */
  readonly line: number;
  /** The number of the top-level list that holds it; undefined outside of any. */
  readonly list: number | undefined;
  /** A "too-large" value is skipped; "broken" is always the last item. */
  readonly value: { readonly json: unknown } | "too-large" | "broken";
}

const quote = 34;

/**
 * The values, in order; "broken" ends them. Longer than most functions: one loop with the scanner's whole state in local variables, because
 * it runs for every character of files of gigabytes.
 */
export async function* readJsonItems(texts: AsyncIterable<string>): AsyncGenerator<JsonItem> {
  let item = 0;
  let line = 1;
  let lists = 0;
  let inList = false;
  /** The line on which the current value begins; 0 between values. */
  let startLine = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let isScalar = false;
  let parts: string[] = [];
  let length = 0;
  const take = (text: string): void => {
    length += text.length;
    if (length <= sampleLimits.jsonLength) parts.push(text);
    else parts = [];
  };
  const finish = (): JsonItem => {
    const json = length > sampleLimits.jsonLength ? undefined : parsePythonJson(parts.join(""));
    const value = json === undefined ? (length > sampleLimits.jsonLength ? "too-large" : "broken") : { json };
    const done: JsonItem = { item: ++item, line: startLine, list: inList ? lists : undefined, value };
    startLine = 0;
    parts = [];
    length = 0;
    isScalar = false;
    return done;
  };
  const broken = (): JsonItem => ({
    item: item + 1,
    line: startLine === 0 ? line : startLine,
    list: inList ? lists : undefined,
    value: "broken",
  });

  for await (const text of texts) {
    /** Start of the current value's characters in this text that are not taken yet. */
    let from = 0;
    let at = 0;
    while (at < text.length) {
      if (inString) {
        // A backslash that ended the text before hides this text's first character.
        if (escaped) {
          escaped = false;
          at++;
        }
        at = endOfString(text, at);
        if (at > text.length) {
          escaped = at === text.length + 2;
          at = text.length;
          break;
        }
        inString = false;
        if (depth === 0 && !isScalar) {
          take(text.slice(from, at));
          const done = finish();
          yield done;
          if (done.value === "broken") return;
        }
        continue;
      }
      const code = text.charCodeAt(at);
      if (startLine === 0) {
        // Between values.
        if (code === 10) line++;
        if (isSpace(code) || code === 44) at++;
        else if (code === 0x5b && !inList) {
          inList = true;
          lists++;
          at++;
        } else if (code === 0x5d && inList) {
          inList = false;
          at++;
        } else {
          startLine = line;
          from = at;
          if (code === quote) inString = true;
          else if (code === 0x7b || code === 0x5b) depth = 1;
          else isScalar = true;
          at++;
        }
        continue;
      }
      if (isScalar) {
        if (isSpace(code) || code === 44 || code === 0x5d || code === 0x7d) {
          take(text.slice(from, at));
          const done = finish();
          yield done;
          if (done.value === "broken") return;
        } else at++;
        continue;
      }
      at++;
      if (code === quote) inString = true;
      else if (code === 10) line++;
      else if (code === 0x7b || code === 0x5b) {
        if (++depth > sampleLimits.jsonDepth) {
          yield broken();
          return;
        }
      } else if (code === 0x7d || code === 0x5d) {
        if (--depth > 0) continue;
        take(text.slice(from, at));
        const done = finish();
        yield done;
        if (done.value === "broken") return;
      }
    }
    if (startLine !== 0) take(text.slice(from, at));
  }
  if (startLine !== 0 && isScalar) yield finish();
  else if (startLine !== 0 || inList) yield broken();
}

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9 || code === 0xfeff;
