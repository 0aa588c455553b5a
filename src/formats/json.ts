// JSON as text: parsing that returns undefined instead of throwing, and checks that work on the text. Knows no fields.

/** The value; undefined for what is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The same for what Python writes and JSON forbids: NaN and the infinities become null. */
export function parsePythonJson(text: string): unknown {
  const value = parseJson(text);
  if (value !== undefined) return value;
  const plain = withoutPythonNumbers(text);
  return plain === undefined ? undefined : parseJson(plain);
}

/** Undefined where there are none. */
function withoutPythonNumbers(text: string): string | undefined {
  const parts: string[] = [];
  let from = 0;
  const word = /"|-?(?:NaN|Infinity)\b/g;
  for (let found = word.exec(text); found !== null; found = word.exec(text)) {
    if (found[0] === '"') {
      const end = endOfString(text, found.index + 1);
      if (end > text.length) break;
      word.lastIndex = end;
      continue;
    }
    parts.push(text.slice(from, found.index), "null");
    from = found.index + found[0].length;
  }
  return parts.length === 0 ? undefined : parts.join("") + text.slice(from);
}

/** How deep lists and objects are nested. */
export function nestingOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at + 1) - 1;
    else if (code === openBrace || code === openBracket) deepest = Math.max(deepest, ++depth);
    else if (code === closeBrace || code === closeBracket) depth--;
  }
  return deepest;
}

/** The first name that the text's outermost object gives twice; JSON.parse silently keeps the last value. */
export function repeatedKey(text: string): string | undefined {
  const keys = new Set<string>();
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === openBrace || code === openBracket) depth++;
    else if (code === closeBrace || code === closeBracket) depth--;
    else if (code === quote) {
      const end = endOfString(text, at + 1);
      if (depth === 1 && /^\s*:/.test(text.slice(end, end + 19))) {
        const key = String(JSON.parse(text.slice(at, end)));
        if (keys.has(key)) return key;
        keys.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/**
 * The index behind the closing quote of a string whose characters continue at `start`. Where the text ends within the string: its
 * length + 1, or its length + 2 if the last character is a backslash that escapes the next one.
 */
export function endOfString(text: string, start: number): number {
  for (let at = start; ;) {
    const end = text.indexOf('"', at);
    const stop = end < 0 ? text.length : end;
    let slashes = 0;
    while (stop - slashes > start && text.charCodeAt(stop - slashes - 1) === backslash) slashes++;
    const isEscaped = slashes % 2 === 1;
    if (end < 0) return text.length + (isEscaped ? 2 : 1);
    if (!isEscaped) return end + 1;
    at = end + 1;
  }
}

const quote = 0x22;
const backslash = 0x5c;
const [openBracket, closeBracket] = [0x5b, 0x5d];
const [openBrace, closeBrace] = [0x7b, 0x7d];
