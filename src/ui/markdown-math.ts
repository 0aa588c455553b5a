// Formulas in Markdown: $…$, $$…$$, \(…\) and \[…\], as tokens for marked. Finds them only; drawing is markdown-katex.ts.
import type { Token, TokenizerAndRendererExtension } from "marked";

export interface MathToken {
  readonly type: "math";
  readonly raw: string;
  /** LaTeX without its delimiters. */
  readonly tex: string;
  /** On lines of its own. */
  readonly display: boolean;
  /** False for a formula that has begun and not ended: the answer may still be coming. */
  readonly closed: boolean;
}

export function isMath(token: Token | MathToken): token is MathToken {
  return token.type === "math";
}

// Every run has a bound, so that a text full of beginnings costs no more than its length.
// None crosses an empty line: what stands before one must not change when more of the answer arrives.
const block =
  /^ {0,3}(?:\$\$((?:(?!\n[ \t]*\n)[^$]){1,2000})\$\$|\\\[((?:(?!\n[ \t]*\n|\\\])[\s\S]){1,2000})\\\])[ \t]*(?:\n|$)/;
const begun = /^ {0,3}(?:\$\$|\\\[)((?:(?!\n[ \t]*\n|\$\$|\\\])[\s\S]){0,2000})$/;
const inline =
  /^(?:\$\$([^$\n]{1,1000})\$\$|\\\[((?:(?!\\\])[^\n]){1,1000})\\\]|\\\(((?:(?!\\\))[^\n]){1,1000})\\\)|\$(?![\s$])((?:\\.|[^\\$\n]){1,500})\$(?![\d$]))/;

const token = (raw: string, tex: string, display: boolean, closed = true): MathToken => ({
  type: "math",
  raw,
  tex: tex.trim(),
  display,
  closed,
});

export const mathExtensions: TokenizerAndRendererExtension[] = [
  {
    name: "math-block",
    level: "block",
    start: (text) => /(?:^|\n) {0,3}(?:\$\$|\\\[)/.exec(text)?.index,
    tokenizer(text) {
      const found = block.exec(text);
      if (found !== null) return token(found[0], found[1] ?? found[2] ?? "", true);
      const open = begun.exec(text);
      return open === null ? undefined : token(open[0], open[1] ?? "", true, false);
    },
  },
  {
    name: "math-inline",
    level: "inline",
    start: (text) => /\$|\\[([]/.exec(text)?.index,
    tokenizer(text) {
      const [raw, double, square, round, single] = inline.exec(text) ?? [];
      if (raw === undefined) return undefined;
      // A price has a space before the next dollar.
      if (single !== undefined && /\s$/.test(single)) return undefined;
      const display = double ?? square;
      return token(raw, display ?? round ?? single ?? "", display !== undefined);
    },
  },
];
