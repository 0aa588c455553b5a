// An answer's Markdown, block by block. While an answer grows only its end is read again, and what has not changed keeps its identity,
// so that the page need not touch it. Reading can stop after any block and go on later, so that no text holds the page up. Makes no
// HTML; Markdown.tsx shows the blocks.
import type { StateBlock, Token } from "markdown-it";
import type { MarkdownBlock } from "./nodes.ts";
import { markdown, type References } from "./reader.ts";
import { TooTangled, treeOf } from "./tree.ts";

export interface MarkdownBlocks {
  readonly text: string;
  /** Their `raw`s make up the text, as far as it has been read. */
  readonly blocks: readonly MarkdownBlock[];
  /** What reads on; undefined when all has been read. */
  readonly rest: Reading | undefined;
}

/** In UTF-16 units; what comes after is shown as it is. */
export const longestMarkdown = 100_000;
/** Stretches of an answer that are read; what comes after is shown as it is. */
const mostBlocks = 3_000;
/** Lines of one block; a longer list goes on as another one. */
const mostLines = 250;
/** Lines of a block of code. */
const longestFence = 3_000;
const fence = /^ {0,3}(?:```|~~~)/;

/**
 * The blocks of a text that may end anywhere; `before` is the result for an earlier state of the same answer. Stops reading once
 * `isLate`, which is told the size of each block, says so; with the same text and the result as `before` it goes on.
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

/** The end may still become part of what stands before it: a list goes on, a line becomes a heading. */
const openBlocks = 2;

/** The blocks of an earlier state that the rest of the answer can't change any more. */
function finishedBlocks(text: string, before: MarkdownBlocks | undefined): readonly MarkdownBlock[] {
  if (before === undefined || !text.startsWith(before.text)) return [];
  let open = 0;
  let keep = before.blocks.length;
  while (keep > 0 && open < openBlocks) if (before.blocks[--keep]?.type !== "space") open++;
  const kept = before.blocks.slice(0, keep);
  // What a text defines for its links may change what stands before.
  return kept.some(({ type }) => type === "def") ? [] : kept;
}

/** A block whose insides have not been read. */
interface Outline {
  readonly raw: string;
  readonly tokens: readonly Token[];
}

/** Reads one state of a text: first where its blocks are, which finds the definitions of links, then what is in them. */
class Reading {
  readonly #text: string;
  readonly #blocks: MarkdownBlock[];
  readonly #outlines: Outline[] = [];
  #outliner: Outliner;
  #next = 0;

  constructor(text: string, kept: readonly MarkdownBlock[]) {
    this.#text = text;
    this.#blocks = [...kept];
    this.#outliner = new Outliner(text, kept);
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

  /** Returns the size of the block that was read. */
  #step(): number {
    if (!this.#outliner.isDone) {
      const outline = this.#outliner.next();
      if (outline !== undefined) this.#outlines.push(outline);
      // A definition at the end also counts for links in blocks that were thought to be finished.
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
  // Only a fence can be so long.
  if (tokens.length === 0 || raw.split("\n").length > longestFence) return plain;
  try {
    const { nodes, size } = treeOf(tokens, references);
    const [node] = nodes;
    // A block of code has its language and its button.
    return node === undefined ? plain : { raw, ...node, size: size + (node.type === "code" ? 20 : 2) };
  } catch (error) {
    if (error instanceof TooTangled) return plain;
    throw error;
  }
}

/** Finds where the blocks of a text begin and end. Does what markdown-it's own loop does, but can stop between two of them. */
class Outliner {
  readonly #environment: { references?: References } = {};
  readonly #state: StateBlock;
  readonly #text: string;
  readonly #tokens: Token[] = [];
  /** What is not read, for its length. */
  #beyond: string;
  #left: number;
  readonly #lines: number;
  #line = 0;
  #position = 0;
  isDone = false;

  constructor(text: string, kept: readonly MarkdownBlock[]) {
    const start = kept.reduce((sum, { raw }) => sum + raw.length, 0);
    const end =
      text.length <= longestMarkdown ? text.length : text.lastIndexOf("\n", longestMarkdown - 1) + 1 || longestMarkdown;
    this.#text = text.slice(start, end);
    this.#beyond = text.slice(end);
    this.#left = mostBlocks - kept.length;
    this.#state = new markdown.block.State(this.#text, markdown, this.#environment, this.#tokens);
    this.#lines = this.#state.lineMax;
  }

  get references(): References {
    return this.#environment.references ?? {};
  }

  get hasDefinitions(): boolean {
    return this.#environment.references !== undefined;
  }

  /** The next block; undefined at the end. */
  next(): Outline | undefined {
    const state = this.#state;
    const start = this.#line;
    if (start >= this.#lines || this.#left-- <= 0) return this.#remainder();
    state.lineMax = this.#lines;
    this.#line = state.skipEmptyLines(start);
    if (this.#line > start) return { raw: this.#take(), tokens: [] };
    // A fence is read to its end, which costs little; of anything else only so much that it is read in an instant.
    if (!fence.test(this.#text.slice(this.#position, this.#position + 6)))
      state.lineMax = Math.min(this.#lines, start + mostLines);
    state.line = start;
    for (const rule of markdown.block.ruler.getRules("")) if (rule(state, start, state.lineMax, false)) break;
    this.#line = state.line;
    return { raw: this.#take(), tokens: this.#tokens.splice(0) };
  }

  /** What is beyond the limits, and once more the end. */
  #remainder(): Outline | undefined {
    this.#line = this.#lines;
    const raw = this.#take() + this.#beyond;
    this.#beyond = "";
    this.isDone = raw === "";
    return this.isDone ? undefined : { raw, tokens: [] };
  }

  /** The text up to the line that comes next. */
  #take(): string {
    const start = this.#position;
    this.#position =
      this.#line >= this.#lines ? this.#text.length : (this.#state.bMarks[this.#line] ?? this.#text.length);
    return this.#text.slice(start, this.#position);
  }
}

/** The address a link may lead to: another site or a mail; undefined for anything that could do something here. */
export function safeHref(href: string): string | undefined {
  // A browser reads an address without these; what is left must say plainly where it leads.
  const bare = href.replace(/[^!-~\u00A0-\uFFFF]/g, "");
  if (!/^(?:https?:\/\/|mailto:)/i.test(bare)) return undefined;
  const url = URL.parse(bare);
  return url !== null && /^(?:https?|mailto):$/.test(url.protocol) && url.username === "" ? url.href : undefined;
}
