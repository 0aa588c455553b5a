// Redacts an API key from what a server sends: some servers repeat the request in an error, a model's name or an answer.
// Finds the key in every common encoding, also where a stream splits it. Pure; knows no server.

/** Replaces the key. */
const mask = "…";

export interface Redactor {
  /** The text without the key. The text must not have been cut before: part of a key might not be recognized. */
  text(text: string): string;
  /** For text that arrives in pieces; `before` is the text that it continues, which has been shown already. */
  stream(before?: string): RedactingStream;
}

export interface RedactingStream {
  /** The text that can be shown by now; what may be the beginning of the key is held back. */
  push(piece: string): string;
  /** The text that was held back, redacted if it is a good part of the key. */
  end(): string;
}

/** Not secrets: programs that need no key tell users to enter one of these. */
const placeholders = new Set(["empty", "none", "null", "ollama", "lm-studio", "not-needed", "sk-no-key-required"]);

/** In characters. A shorter key is no secret, and would match within ordinary words. */
const shortestKey = 4;

/** Without a key that is a secret, text passes unchanged. */
export function createRedactor(key: string | undefined): Redactor {
  const secret = key ?? "";
  const known = secret.length >= shortestKey && !placeholders.has(toLower(secret));
  const patterns = known ? patternsOf(secret).map(toPattern) : [];
  /** A prefix of the key of this length is redacted, too, where the text ends with it. */
  const revealing = Math.min(6, Math.max(shortestKey, Math.ceil(secret.length / 2)));

  const stream = (before = ""): RedactingStream => {
    /** The end of the text so far, which may be the beginning of the key. */
    let held = "";
    /** How many characters of `held` have been shown before. */
    let already = 0;
    const read = (text: string, isLast: boolean): string => {
      const lower = toLower(text);
      let shown = "";
      let from = 0;
      let at = 0;
      held = "";
      while (at < text.length) {
        const found = findAt(patterns, lower, at);
        if (found === "open" && !isLast) {
          held = text.slice(at);
          shown += text.slice(Math.max(from, already), at);
          already = Math.max(0, already - at);
          return shown;
        }
        const end = found === "open" ? (text.length - at >= revealing ? text.length : undefined) : found;
        if (end === undefined) at += 1;
        else {
          shown += text.slice(Math.max(from, already), at) + mask;
          from = at = end;
        }
      }
      shown += text.slice(Math.max(from, already));
      already = 0;
      return shown;
    };
    read(before, false);
    already = held.length;
    return { push: (piece) => read(held + piece, false), end: () => read(held, true) };
  };

  return {
    stream,
    text: (text) => {
      const one = stream();
      return one.push(text) + one.end();
    },
  };
}

/** For each character of the searched text the ways to encode it, in lower case; `firsts` are the characters that a match can begin with. */
interface Pattern {
  readonly firsts: ReadonlySet<string>;
  readonly spellings: readonly (readonly string[])[];
}

function toPattern(characters: readonly (readonly string[])[]): Pattern {
  const [first = [], ...rest] = characters;
  return {
    firsts: new Set(first.map((spelling) => spelling.charAt(0))),
    // Line wrapping may split a key.
    spellings: [first, ...rest.map((ways) => [...ways, ...ways.flatMap((way) => [`\n${way}`, `\r\n${way}`])])],
  };
}

/** The end of the longest match that begins at `at`; "open" when the text ends before a match can be ruled out. */
function findAt(patterns: readonly Pattern[], lower: string, at: number): number | "open" | undefined {
  const character = lower.charAt(at);
  let open = false;
  let longest = at;
  for (const { firsts, spellings } of patterns) {
    if (!firsts.has(character)) continue;
    let ends: ReadonlySet<number> = new Set([at]);
    for (const ways of spellings) {
      const next = new Set<number>();
      for (const from of ends)
        for (const way of ways) {
          if (lower.startsWith(way, from)) next.add(from + way.length);
          else if (from + way.length > lower.length && way.startsWith(lower.slice(from))) open = true;
        }
      ends = next;
      if (ends.size === 0) break;
    }
    longest = Math.max(longest, ...ends);
  }
  if (longest > at) return longest;
  return open ? "open" : undefined;
}

function patternsOf(key: string): (readonly (readonly string[])[])[] {
  const bytes = new TextEncoder().encode(key);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  // Text is compared without case, but case changes what base64 encodes.
  const cases = [...new Set([key, toLower(key), key.replace(/[a-z]/g, (letter) => letter.toUpperCase())])];
  return [
    Array.from(key, spellingsOf),
    Array.from(hex, (digit) => [digit]),
    ...cases.flatMap((one) => [0, 1, 2].map((before) => base64Of(one, before))),
  ].filter((characters) => characters.length >= shortestKey);
}

/** The base64 characters that hold only bits of the key when `before` bytes precede it; those at the edges share bits with their neighbors. */
function base64Of(key: string, before: number): readonly (readonly string[])[] {
  const bytes = [...new Array<number>(before).fill(0), ...new TextEncoder().encode(key)];
  const text = btoa(String.fromCharCode(...bytes));
  const core = text.slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
  return Array.from(core, (character) =>
    // base64url replaces two characters.
    character === "+"
      ? [...spellingsOf("+"), ...spellingsOf("-")]
      : character === "/"
        ? [...spellingsOf("/"), ...spellingsOf("_")]
        : spellingsOf(character),
  );
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** A character as it is, percent-encoded (once or twice), or escaped for JSON, JavaScript, quoted-printable, HTML or a shell. */
function spellingsOf(character: string): readonly string[] {
  const code = character.charCodeAt(0);
  const hex = code.toString(16).padStart(2, "0");
  const entity = entities[character];
  return [
    toLower(character),
    `%${hex}`,
    `%25${hex}`,
    `\\u${hex.padStart(4, "0")}`,
    `\\\\u${hex.padStart(4, "0")}`,
    `\\x${hex}`,
    `\\u{${hex}}`,
    `=${hex}`,
    `&#${code};`,
    `&#x${hex};`,
    ...(entity === undefined ? [] : [entity]),
    ...(/[a-z\d]/i.test(character) ? [] : [`\\${character}`, `\\\\${character}`, `\\\\\\${character}`]),
  ];
}

/** ASCII only, so that the length stays the same; `toLowerCase` can change it. */
function toLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
