// An answer's Markdown as tokens, block by block. While an answer grows only its end is read again, and what has not changed keeps
// its identity, so that the page need not touch it. Makes no HTML; Markdown.tsx shows the tokens.
import { Marked, type MarkedToken, type Token } from "marked";
import { isMath, mathExtensions, type MathToken } from "./markdown-math.ts";

export type MarkdownToken = MarkedToken | MathToken;

/** Too long or too tangled to be read as Markdown: it is shown as it is. */
export interface PlainBlock {
  readonly type: "plain";
  readonly raw: string;
}

export type MarkdownBlock = MarkdownToken | PlainBlock;

export interface MarkdownBlocks {
  readonly text: string;
  /** Their `raw`s make up the text. */
  readonly blocks: readonly MarkdownBlock[];
}

const parser = new Marked({ gfm: true, breaks: true, async: false });
parser.use({ extensions: mathExtensions });

/** In UTF-16 units; some forms take time that grows with the square. */
export const longestMarkdown = 40_000;

/** The blocks of a text that may end anywhere; `before` is the result for an earlier state of the same answer. */
export function readMarkdown(text: string, before?: MarkdownBlocks): MarkdownBlocks {
  const clean = text.replace(/\r\n?/g, "\n");
  if (before?.text === clean) return before;
  return { text: clean, blocks: grow(clean, before) ?? lex(clean) };
}

/** The tokens marked gives, without those that only other extensions could have made. */
export function isKnown(token: Token): token is MarkedToken {
  return token.type !== "math";
}

/** Tokens inside a token. */
export function childrenOf(tokens: readonly Token[]): MarkdownToken[] {
  return tokens.flatMap((token) => (isMath(token) || isKnown(token) ? [token] : []));
}

/** The end may still become part of what stands before it: a list goes on, a line becomes a heading. */
const openBlocks = 2;

function grow(text: string, before: MarkdownBlocks | undefined): MarkdownBlock[] | undefined {
  if (before === undefined || !text.startsWith(before.text)) return undefined;
  let open = 0;
  let keep = before.blocks.length;
  while (keep > 0 && open < openBlocks) if (before.blocks[--keep]?.type !== "space") open++;
  const kept = before.blocks.slice(0, keep);
  // What a text defines for its links may stand anywhere.
  if (kept.some(({ type }) => type === "def" || type === "plain")) return undefined;
  const keptLength = kept.reduce((sum, { raw }) => sum + raw.length, 0);
  const read = lex(text.slice(keptLength));
  if (read.some(({ type }) => type === "def" || type === "plain")) return undefined;
  return [...kept, ...read];
}

function lex(text: string): MarkdownBlock[] {
  const plain: MarkdownBlock[] = [{ type: "plain", raw: text }];
  if (text.length > longestMarkdown || isTangled(text)) return plain;
  try {
    const blocks = childrenOf(parser.lexer(text));
    const length = blocks.reduce((sum, { raw }) => sum + raw.length, 0);
    return length === text.length ? blocks : plain;
  } catch (error) {
    // Nested deeper than the stack: nobody wrote that to be read.
    if (error instanceof RangeError) return plain;
    throw error;
  }
}

/** Marks in numbers that make readers of Markdown slow or deep, and that no prose has. */
function isTangled(text: string): boolean {
  const count = (mark: string): number => text.split(mark).length - 1;
  return (
    /(?:[>*_~`[\]()!<$\\-][ \t]?){300}/.test(text) ||
    /(?:\d{1,9}[.)] ){30}/.test(text) ||
    count("\\[") > 300 ||
    count("](") > 2000 ||
    count("\\(") > 2000
  );
}

/** The characters that Markdown writes as entities; others stay as they are written. */
export function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-zA-Z]{2,8}));/g,
    (all: string, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return entities.get(name) ?? all;
      const code = decimal !== undefined ? Number(decimal) : parseInt(hex ?? "", 16);
      return code > 31 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)
        ? String.fromCodePoint(code)
        : "\uFFFD";
    },
  );
}
const entities = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["nbsp", "\u00A0"],
  ["times", "×"],
  ["deg", "°"],
  ["hellip", "…"],
  ["ndash", "–"],
  ["mdash", "—"],
]);

/** The address a link may lead to: another site or a mail; undefined for anything that could do something here. */
export function safeHref(href: string): string | undefined {
  // A browser reads an address without these; what is left must say plainly where it leads.
  const bare = decodeEntities(href).replace(/[^!-~\u00A0-\uFFFF]/g, "");
  if (!/^(?:https?:\/\/|mailto:)/i.test(bare)) return undefined;
  const url = URL.parse(bare);
  return url !== null && /^(?:https?|mailto):$/.test(url.protocol) && url.username === "" ? url.href : undefined;
}
