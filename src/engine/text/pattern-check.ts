// Refuses tokenizer patterns with catastrophic backtracking. Anybody may have written them, and a search that takes exponential time would hang
// the model at its first question with no way to stop it. So suspicious patterns are tried on short texts first. Knows no tokenizer's code.
import { EngineError } from "#engine/errors.ts";

/** Exponential backtracking takes a quantified group; the patterns of known tokenizers have none. */
const quantifiedGroup = /\)(?:[*+]|\{\d+,\d*\})/;
/** Lengths of the trial texts. They grow in steps so small that exponential time shows long before a search hangs. */
const lengths = Array.from({ length: 61 }, (_, i) => 8 + 2 * i);
const longestMs = 50;

/** Throws "bad-package" where a pattern of tokenizer.json takes too long on a short text. */
export function refuseEndlessPatterns(tokenizerJson: object): void {
  for (const source of patternsIn(tokenizerJson)) {
    if (!quantifiedGroup.test(source)) continue;
    const pattern = compile(source);
    if (pattern && isEndless(pattern, source))
      throw new EngineError(
        "bad-package",
        `tokenizer.json: searching for ${source.slice(0, 60)} would not come to an end`,
      );
  }
}

/** Every `{"Regex": …}` in the parts of tokenizer.json that search text. */
function patternsIn(tokenizerJson: object): string[] {
  const found: string[] = [];
  const left: unknown[] = ["normalizer", "pre_tokenizer", "decoder"].map((part): unknown =>
    Reflect.get(tokenizerJson, part),
  );
  for (let value = left.pop(); left.length > 0 || value !== undefined; value = left.pop()) {
    if (typeof value !== "object" || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "Regex" && typeof inner === "string") found.push(inner);
      else if (typeof inner === "object" && inner !== null) left.push(inner);
    }
  }
  return found;
}

/** Undefined where the pattern is no valid JavaScript; the tokenizer library reports that itself. */
function compile(source: string): RegExp | undefined {
  for (const flags of ["gu", "g"]) {
    try {
      return new RegExp(source.replaceAll("(?i:", "(?:"), flags);
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Tries repetitions of one or two characters, with an end that never matches and so forces backtracking. */
function isEndless(pattern: RegExp, source: string): boolean {
  const own = new Set(Array.from(source.replace(/[\\()[\]{}*+?^$|.]/g, "")).slice(0, 40));
  const runs = new Set(["a", "A", "0", " ", "\n", "!", "中", "a ", "a,", "\r\n", ...own]);
  for (const length of lengths)
    for (const run of runs) {
      const text = `${run.repeat(Math.ceil(length / run.length))}\u0000`;
      // Measured twice, because another process may have delayed the first search.
      if (searchMs(pattern, text) > longestMs && searchMs(pattern, text) > longestMs) return true;
    }
  return false;
}

function searchMs(pattern: RegExp, text: string): number {
  const began = performance.now();
  text.replace(pattern, "");
  return performance.now() - began;
}
