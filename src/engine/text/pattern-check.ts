// Patterns of a tokenizer, which anybody may have written: one whose search takes time exponential in its text would hang the model at its
// first question, and nothing can stop it then. So such patterns are tried on short texts first. Knows no tokenizer's code.
import { EngineError } from "#engine/errors.ts";

/** A quantified group is what it takes; the patterns of known tokenizers have none. */
const quantifiedGroup = /\)(?:[*+]|\{\d+,\d*\})/;
/** Lengths of the texts, in steps so small that a search of exponential time is noticed long before it hangs. */
const lengths = Array.from({ length: 61 }, (_, i) => 8 + 2 * i);
const longestMs = 50;

/** Throws "bad-package" where a pattern of tokenizer.json does not come to an end soon. */
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

/** Every `{"Regex": …}` of the parts that search in text. */
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

/** Undefined where JavaScript has no such pattern; the tokenizer says so itself. */
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

/** Texts of one character or two, over and over, with an end that makes a search go back. */
function isEndless(pattern: RegExp, source: string): boolean {
  const own = new Set(Array.from(source.replace(/[\\()[\]{}*+?^$|.]/g, "")).slice(0, 40));
  const runs = new Set(["a", "A", "0", " ", "\n", "!", "中", "a ", "a,", "\r\n", ...own]);
  for (const length of lengths)
    for (const run of runs) {
      const text = `${run.repeat(Math.ceil(length / run.length))}\u0000`;
      // Twice, because a machine may be busy with something else.
      if (searchMs(pattern, text) > longestMs && searchMs(pattern, text) > longestMs) return true;
    }
  return false;
}

function searchMs(pattern: RegExp, text: string): number {
  const began = performance.now();
  text.replace(pattern, "");
  return performance.now() - began;
}
