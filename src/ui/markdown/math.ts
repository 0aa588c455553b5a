// Formulas in Markdown: $…$, $$…$$, \(…\) and \[…\], as rules for markdown-it. Finds them and tells which are safe to draw; katex.ts
// draws them. Every search is bounded, so a text full of opening marks takes time in proportion to its length.
import type { MarkdownIt, StateBlock, StateInline } from "markdown-it";

const longestBlock = 2000;
const longestInline = 1000;
const longestDollars = 500;

/** Teaches the reader both rules; the tokens are `math` with the LaTeX as content, `markup` "$$" or "$", and `info` "open" where no end has come. */
export function addMath(markdown: MarkdownIt): void {
  markdown.block.ruler.before("fence", "math", blockRule, { alt: ["paragraph", "reference", "blockquote", "list"] });
  markdown.inline.ruler.before("escape", "math", inlineRule);
}

function blockRule(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const start = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0);
  const open = state.src.startsWith("$$", start) ? "$$" : state.src.startsWith("\\[", start) ? "\\[" : undefined;
  if (open === undefined || (state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false;
  let tex = "";
  let line = startLine;
  // No formula crosses an empty line: what stands before one must not change when more of the answer arrives.
  for (; line < endLine && !state.isEmpty(line) && (state.sCount[line] ?? 0) >= state.blkIndent; line++) {
    const text = state.getLines(line, line + 1, state.blkIndent, false);
    const rest = line === startLine ? text.trimStart().slice(2) : text;
    const end = rest.indexOf(open === "$$" ? "$$" : "\\]");
    const inside = end < 0 ? rest : rest.slice(0, end);
    tex += `${inside}\n`;
    // Another beginning ends the search, so that beginnings without ends cost no more than their length.
    if (tex.length > longestBlock || inside.includes(open === "$$" ? "$" : "\\[")) return false;
    if (end < 0) continue;
    // Words after it make it a formula within a line; a lone pair of dollars is none.
    if (rest.slice(end + 2).trim() !== "" || tex.trim() === "") return false;
    return push(line + 1, true);
  }
  // An answer that is still coming ends here; a paragraph that goes on does not.
  if (line < endLine || state.parentType !== "root" || state.lineMax !== endLine) return false;
  return push(line, false);

  function push(nextLine: number, closed: boolean): boolean {
    if (silent) return true;
    const token = state.push("math", "", 0);
    token.content = tex.trim();
    token.markup = "$$";
    token.info = closed ? "" : "open";
    token.meta = { source: state.getLines(startLine, nextLine, state.blkIndent, false).trim() };
    token.map = [startLine, nextLine];
    state.line = nextLine;
    return true;
  }
}

function inlineRule(state: StateInline, silent: boolean): boolean {
  const { src, pos, posMax } = state;
  const found =
    src[pos] === "\\" ? bracketed(src, pos, posMax) : src[pos] === "$" ? dollars(src, pos, posMax) : undefined;
  if (found === undefined) return false;
  if (found.tex !== undefined && !silent) {
    const token = state.push("math", "", 0);
    token.content = found.tex.trim();
    token.markup = found.display ? "$$" : "$";
    token.meta = { source: src.slice(pos, found.end) };
  } else if (!silent) state.pending += src.slice(pos, found.end);
  state.pos = found.end;
  return true;
}

interface Found {
  readonly end: number;
  /** Undefined where the marks are only text. */
  readonly tex?: string;
  readonly display?: boolean;
}

function bracketed(src: string, pos: number, posMax: number): Found | undefined {
  const open = src[pos + 1];
  if (open !== "(" && open !== "[") return undefined;
  const window = src.slice(pos + 2, Math.min(posMax, pos + 2 + longestInline));
  const length = window.indexOf(open === "(" ? "\\)" : "\\]");
  const tex = window.slice(0, Math.max(0, length));
  if (tex.trim() === "" || tex.includes("\n")) return undefined;
  return { end: pos + length + 4, tex, display: open === "[" };
}

/** A formula, or a run of dollars that is none: prices, variables of a shell. */
function dollars(src: string, pos: number, posMax: number): Found | undefined {
  let run = 1;
  while (pos + run < posMax && src[pos + run] === "$") run++;
  const text: Found = { end: pos + run };
  if (run > 2) return text;
  const from = pos + run;
  const window = src.slice(from, Math.min(posMax, from + (run === 2 ? longestInline : longestDollars)));
  const closing = /^(?:\\[\s\S]|[^\\$\n])+?(?=\$)/.exec(window)?.[0];
  if (closing === undefined) return text;
  const end = from + closing.length;
  if (src.slice(end, end + run) !== "$".repeat(run) || src[end + run] === "$") return text;
  const before = src.slice(Math.max(0, pos - 1), pos);
  const after = src.slice(end + run, end + run + 3);
  const isFormula = run === 2 ? !isProse(closing) : isFormulaBetween(before, closing, after);
  return isFormula ? { end: end + run, tex: closing, display: run === 2 } : text;
}

/** As in Pandoc, and stricter: the dollars of a formula touch what is inside, and no word or number outside. */
function isFormulaBetween(before: string, tex: string, after: string): boolean {
  if (/^[\s.)\]]|\s$|^\(.*\($/.test(tex) || isProse(tex)) return false;
  const startsWithCommand = /^[\\^_]/.test(tex);
  // A unit or a sign right after a number: 30$^\circ$C.
  if (/[A-Za-z\d_]/.test(before) && !startsWithCommand) return false;
  if (after.startsWith("{") || (after.startsWith("(") && tex.startsWith("("))) return false;
  if (!/^[A-Za-z\d_]/.test(after)) return true;
  if (/[-:;,/=|&'"([{+]$/.test(tex)) return false;
  return startsWithCommand || /^(?:th|st|nd|rd|s|es|d)(?![A-Za-z\d_])/.test(after);
}

const functions = new Set(
  "arccos arcsin arctan arg cos cosh cot csc deg det dim exp gcd inf ker lcm lg lim ln log max min mod sec sin sinh sup tan tanh".split(
    " ",
  ),
);

/** Words, and none of the marks that formulas have. */
function isProse(tex: string): boolean {
  if (!/[\p{L}\p{N}\\]/u.test(tex)) return true;
  const bare = tex.replace(/\\(?:text|mathrm|textbf|textit|mbox|operatorname)\s*\{[^{}]*\}/g, "\\x");
  const marked = /[\\^_={}<>]/.test(bare);
  const words = bare.match(/[A-Za-z]{2,}/g) ?? [];
  if (!marked) {
    if (/[\u3000-\u30FF\u3400-\u9FFF\uAC00-\uD7AF\uFF00-\uFFEF]/.test(bare)) return true;
    if (/\s/.test(bare.trim()) && words.some((word) => !functions.has(word))) return true;
    // An amount and another currency's letters: $10 R$ 5.
    if (/^\d[\d.,]*\s+[A-Za-z]/.test(bare)) return true;
  }
  // Punctuation of sentences in Chinese and Japanese.
  return !/\\[a-zA-Z]|[\^=]/.test(bare) && /[，。；：！？、（）「」]/.test(bare);
}

/** Deeper, longer or cleverer formulas than anyone writes for a reader can stop a browser; those are shown as they were written. */
export function isDrawable(tex: string): boolean {
  if (tex.length > longestBlock) return false;
  // Macros that unfold can grow without end.
  if (
    /\\(?:[egx]?def|let|futurelet|global|long|(?:re)?new(?:command|environment)|providecommand|expandafter|noexpand|csname|char)(?![A-Za-z])/.test(
      tex,
    )
  )
    return false;
  if ((tex.match(/\\\\|&/g) ?? []).length > mostCells) return false;
  let depth = 0;
  let chain = 0;
  for (const [token] of tex.matchAll(/\\(?:[a-zA-Z]+|[\s\S])|[{}]|[\^_]|[^\s\\{}^_]+/g)) {
    if (token === "{" || token === "\\left" || token === "\\begin" || token === "\\bgroup") depth++;
    else if (token === "}" || token === "\\right" || token === "\\end" || token === "\\egroup")
      depth = Math.max(0, depth - 1);
    chain = /^(?:\\[a-zA-Z]+|[\^_])$/.test(token) ? chain + 1 : token === "{" ? chain : 0;
    if (depth > deepest || chain > longestChain) return false;
  }
  return true;
}

/** Each level of a fraction or an exponent costs a browser several boxes in one another. */
const deepest = 12;
/** Ends of cells and rows. */
const mostCells = 200;
/** Commands that may take one another as arguments without braces. */
const longestChain = 24;
