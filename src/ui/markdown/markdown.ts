// Parses an answer's Markdown incrementally, block by block. While an answer grows, only its end is parsed again; unchanged blocks keep
// their object identity, so the page need not render them again. Parsing can pause after any block, so no text blocks the page. Produces
// plain data and no HTML; Markdown.tsx renders it.
import type { StateBlock, Token } from "markdown-it";
import type { MarkdownBlock } from "./nodes.ts";
import { markdown, type References } from "./reader.ts";
import { TooTangled, treeOf } from "./tree.ts";

export interface MarkdownBlocks {
  readonly text: string;
  /** Their `raw` strings, joined, are the text as far as it has been parsed. */
  readonly blocks: readonly MarkdownBlock[];
  /** The paused parse, which can be continued; undefined once the whole text has been parsed. */
  readonly rest: Reading | undefined;
}

/** In UTF-16 units. Text beyond it is shown as it was written. */
export const longestMarkdown = 100_000;
/** The most blocks that are parsed, empty lines included. Text beyond them is shown as it was written. */
const mostBlocks = 3_000;
/** The most lines of one block. A longer list continues as another one. */
const mostLines = 250;
/** The most lines of a block of code. */
const longestFence = 3_000;
const fence = /^ {0,3}(?:```|~~~)/;

/**
 * Parses a text that may end anywhere, as it does while an answer streams. `before` is the result for an earlier state of the same
 * answer. `isLate` is called with the size of each block, and parsing pauses once it returns true. A call with the same text and that
 * result as `before` continues it.
 */
export function readMarkdown(
  text: string,
  before?: MarkdownBlocks,
  isLate: (size: number) => boolean = () => false,
): MarkdownBlocks {
  const clean = text.replace(/\r\n?/g, "\n").replaceAll("\0", "\uFFFD");
  if (before?.text === clean) return before.rest === undefined ? before : before.rest.readOn(isLate);
  const read = new Reading(clean, finishedBlocks(clean, before));
  return read.readOn(isLate);
}

/** How many blocks at the end more text can still change: a list may continue, or a line may become a heading. */
const openBlocks = 2;

/** The blocks of an earlier state that further text can't change. */
function finishedBlocks(text: string, before: MarkdownBlocks | undefined): readonly MarkdownBlock[] {
  if (before === undefined || !text.startsWith(before.text)) return [];
  let open = 0;
  let count = before.blocks.length;
  while (count > 0 && open < openBlocks) if (before.blocks[--count]?.type !== "space") open++;
  const finished = before.blocks.slice(0, count);
  // A link definition may change the links in earlier blocks.
  return finished.some(({ type }) => type === "def") ? [] : finished;
}

/** A block with its tokens, before its tree of nodes is built. */
interface Outline {
  readonly raw: string;
  readonly tokens: readonly Token[];
}

/** Parses one state of a text in two passes: the first finds the blocks and the link definitions, the second builds each block's nodes. */
class Reading {
  readonly #text: string;
  readonly #blocks: MarkdownBlock[];
  readonly #outlines: Outline[] = [];
  #outliner: Outliner;
  #next = 0;

  constructor(text: string, finished: readonly MarkdownBlock[]) {
    this.#text = text;
    this.#blocks = [...finished];
    this.#outliner = new Outliner(text, finished);
  }

  readOn(isLate: (size: number) => boolean): MarkdownBlocks {
    while (!this.#isDone()) {
      if (isLate(this.#step())) break;
    }
    return { text: this.#text, blocks: [...this.#blocks], rest: this.#isDone() ? undefined : this };
  }

  #isDone(): boolean {
    return this.#outliner.isDone && this.#next === this.#outlines.length;
  }

  /** Does one step of a pass. Returns the size of the block that was built; 0 in the first pass. */
  #step(): number {
    if (!this.#outliner.isDone) {
      const outline = this.#outliner.next();
      if (outline !== undefined) this.#outlines.push(outline);
      // A link definition at the end also applies to earlier blocks, so all of them are parsed again.
      else if (this.#outliner.hasDefinitions && this.#blocks.length > 0) {
        this.#blocks.length = 0;
        this.#outlines.length = 0;
        this.#outliner = new Outliner(this.#text, []);
      }
      return 0;
    }
    const outline = this.#outlines[this.#next++];
    if (outline === undefined) return 0;
    const block = blockOf(outline, this.#outliner.references);
    this.#blocks.push(block);
    return block.size;
  }
}

function blockOf({ raw, tokens }: Outline, references: References): MarkdownBlock {
  if (raw.trim() === "") return { type: "space", raw, size: 0 };
  if (tokens[0]?.type === "reference_definition") return { type: "def", raw, size: 0 };
  const plain: MarkdownBlock = { type: "plain", raw, size: 30 };
  // Only a fenced block of code can have this many lines.
  if (tokens.length === 0 || raw.split("\n").length > longestFence) return plain;
  try {
    const { nodes, size } = treeOf(tokens, references);
    const [node] = nodes;
    // A block of code also renders its language and a copy button.
    return node === undefined ? plain : { raw, ...node, size: size + (node.type === "code" ? 20 : 2) };
  } catch (error) {
    if (error instanceof TooTangled) return plain;
    throw error;
  }
}

/** Finds where the blocks of a text begin and end. Equals the block loop of markdown-it, but can pause between two blocks. */
class Outliner {
  readonly #environment: { references?: References } = {};
  readonly #state: StateBlock;
  readonly #text: string;
  readonly #tokens: Token[] = [];
  /** The text beyond `longestMarkdown`, which is not parsed. */
  #unparsed: string;
  #blocksLeft: number;
  readonly #lines: number;
  #line = 0;
  #position = 0;
  isDone = false;

  constructor(text: string, finished: readonly MarkdownBlock[]) {
    const start = finished.reduce((sum, { raw }) => sum + raw.length, 0);
    const end =
      text.length <= longestMarkdown ? text.length : text.lastIndexOf("\n", longestMarkdown - 1) + 1 || longestMarkdown;
    this.#text = text.slice(start, end);
    this.#unparsed = text.slice(end);
    this.#blocksLeft = mostBlocks - finished.length;
    this.#state = new markdown.block.State(this.#text, markdown, this.#environment, this.#tokens);
    this.#lines = this.#state.lineMax;
  }

  get references(): References {
    return this.#environment.references ?? {};
  }

  get hasDefinitions(): boolean {
    return this.#environment.references !== undefined;
  }

  /** The next block; undefined once there is none. */
  next(): Outline | undefined {
    const state = this.#state;
    const start = this.#line;
    if (start >= this.#lines || this.#blocksLeft-- <= 0) return this.#remainder();
    state.lineMax = this.#lines;
    this.#line = state.skipEmptyLines(start);
    if (this.#line > start) return { raw: this.#take(), tokens: [] };
    // A fence is cheap to parse and is read to its end. Any other block is cut off after so many lines that it takes no noticeable time.
    if (!fence.test(this.#text.slice(this.#position, this.#position + 6)))
      state.lineMax = Math.min(this.#lines, start + mostLines);
    state.line = start;
    for (const rule of markdown.block.ruler.getRules("")) if (rule(state, start, state.lineMax, false)) break;
    this.#line = state.line;
    return { raw: this.#take(), tokens: this.#tokens.splice(0) };
  }

  /** The text beyond the limits as one block; undefined if there is none or it was returned before. */
  #remainder(): Outline | undefined {
    this.#line = this.#lines;
    const raw = this.#take() + this.#unparsed;
    this.#unparsed = "";
    this.isDone = raw === "";
    return this.isDone ? undefined : { raw, tokens: [] };
  }

  /** Takes the text from the current position to the start of the current line. */
  #take(): string {
    const start = this.#position;
    this.#position =
      this.#line >= this.#lines ? this.#text.length : (this.#state.bMarks[this.#line] ?? this.#text.length);
    return this.#text.slice(start, this.#position);
  }
}

/** The normalized address of a link, if it is http, https or mailto; undefined for all others, such as javascript: or data:. */
export function safeHref(href: string): string | undefined {
  // Browsers ignore white space and control characters in an address. Without them, its target must be plain to see.
  const bare = href.replace(/[^!-~\u00A0-\uFFFF]/g, "");
  if (!/^(?:https?:\/\/|mailto:)/i.test(bare)) return undefined;
  const url = URL.parse(bare);
  return url !== null && /^(?:https?|mailto):$/.test(url.protocol) && url.username === "" ? url.href : undefined;
}
