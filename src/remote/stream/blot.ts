// Blots a key out of all that a server says: some repeat in an error, in a model's name or in an answer what they were sent. Finds the
// key in every spelling in which text carries text, also where a stream cuts it. Pure; knows no server.

/** What stands in the place of a key. */
const blot = "…";

export interface Blotter {
  /** The words without the key. They must be whole: of a key that was cut before, the rest might not be known again. */
  text(words: string): string;
  /** For words that come in pieces; `before` are those that they go on from, which are shown already. */
  stream(before?: string): BlottingStream;
}

export interface BlottingStream {
  /** What can be shown by now; the beginning of what may become the key is held back. */
  push(piece: string): string;
  /** What was held back, unless it is a good part of the key. */
  end(): string;
}

/** These are no secrets: programs that need no key tell people to type them where something has to be typed. */
const placeholders = new Set(["empty", "none", "null", "ollama", "lm-studio", "not-needed", "sk-no-key-required"]);

/** Fewer characters are no secret, and would be found in every second word. */
const shortestKey = 4;

/** Without a key that is a secret, everything passes. */
export function createBlotter(key: string | undefined): Blotter {
  const secret = key ?? "";
  const known = secret.length >= shortestKey && !placeholders.has(toLower(secret));
  const patterns = known ? patternsOf(secret).map(toPattern) : [];
  const telling = Math.min(6, Math.max(shortestKey, Math.ceil(secret.length / 2)));

  const stream = (before = ""): BlottingStream => {
    let held = "";
    /** How much of what is held back was shown before. */
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
        const end = found === "open" ? (text.length - at >= telling ? text.length : undefined) : found;
        if (end === undefined) at += 1;
        else {
          shown += text.slice(Math.max(from, already), at) + blot;
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
    text: (words) => {
      const one = stream();
      return one.push(words) + one.end();
    },
  };
}

/** Of every character of what is looked for the ways to spell it, in lower case; `firsts` are what the first one can begin with. */
interface Pattern {
  readonly firsts: ReadonlySet<string>;
  readonly spellings: readonly (readonly string[])[];
}

function toPattern(characters: readonly (readonly string[])[]): Pattern {
  const [first = [], ...rest] = characters;
  return {
    firsts: new Set(first.map((spelling) => spelling.charAt(0))),
    // Long lines are broken, also within a key.
    spellings: [first, ...rest.map((ways) => [...ways, ...ways.flatMap((way) => [`\n${way}`, `\r\n${way}`])])],
  };
}

/** Where the longest match that begins at `at` ends; "open" when the text ends before one can be excluded. */
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
  // Case does not count when text is compared, but it does in what becomes base64.
  const cases = [...new Set([key, toLower(key), key.replace(/[a-z]/g, (letter) => letter.toUpperCase())])];
  return [
    Array.from(key, spellingsOf),
    Array.from(hex, (digit) => [digit]),
    ...cases.flatMap((one) => [0, 1, 2].map((before) => base64Of(one, before))),
  ].filter((characters) => characters.length >= shortestKey);
}

/** The characters of base64 that are the key's alone when `before` bytes precede it: those at the edges hold bits of others, too. */
function base64Of(key: string, before: number): readonly (readonly string[])[] {
  const bytes = [...new Array<number>(before).fill(0), ...new TextEncoder().encode(key)];
  const text = btoa(String.fromCharCode(...bytes));
  const core = text.slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
  return Array.from(core, (character) =>
    // base64url has two characters of its own.
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

/** One character as it is, percent-encoded (once or twice), escaped in JSON, in a script, in mail, in HTML or in a shell. */
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

/** Keeps every character's place, which `toLowerCase` does not for all of them. */
function toLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
