// Turns the tokens of one block into a tree of nodes. Counts elements as it goes: a block with more of them than a browser lays out in
// an instant is not turned into a tree, and is shown as it was written.
import type { Token } from "markdown-it";
import type { Alignment, ListItem, MarkdownNode, MathNode } from "./nodes.ts";
import { deepestNesting, readInline, type References } from "./reader.ts";

/** In UTF-16 units: no paragraph, heading or cell that a person reads is longer. */
export const longestParagraph = 10_000;
/** Elements and stretches of text within one block. */
const mostNodes = 4_000;
/** Of emphasis, within one paragraph. */
const mostMarks = 1_500;
/** Formulas within one block that are drawn. */
const mostFormulas = 300;

/** Thrown where a block has more of something than is read. */
export class TooTangled extends Error {}

/** The tree of one block's tokens; `references` are the links that the text defines. Throws TooTangled. */
export function treeOf(tokens: readonly Token[], references: References): Tree {
  if (tokens.length > 4 * mostNodes || tokens.some(({ level }) => level >= deepestNesting - 1)) throw new TooTangled();
  const builder = new TreeBuilder(tokens, references);
  const nodes = builder.blocksUntil(undefined);
  return { nodes, size: builder.size };
}

interface Tree {
  readonly nodes: readonly MarkdownNode[];
  /** Elements and stretches of text. */
  readonly size: number;
}

class TreeBuilder {
  readonly #tokens: readonly Token[];
  readonly #references: References;
  #next = 0;
  /** Elements and stretches of text so far. */
  size = 0;
  #formulas = 0;

  constructor(tokens: readonly Token[], references: References) {
    this.#tokens = tokens;
    this.#references = references;
  }

  /** The blocks from here to the token that closes what they are in, which is read too. */
  blocksUntil(end: string | undefined): MarkdownNode[] {
    const nodes: MarkdownNode[] = [];
    for (let token = this.#take(); token !== undefined && token.type !== end; token = this.#take())
      nodes.push(...this.#block(token));
    return nodes;
  }

  #take(): Token | undefined {
    const token = this.#tokens[this.#next++];
    if (token?.nesting === 1 && !token.hidden) this.#countNodes(1);
    return token;
  }

  #block(token: Token): MarkdownNode[] {
    switch (token.type) {
      case "inline":
        return this.#inline(token.content);
      case "paragraph_open": {
        const nodes = this.blocksUntil("paragraph_close");
        // A list without empty lines between its items has their words as they are.
        return token.hidden ? nodes : [{ type: "paragraph", nodes }];
      }
      case "heading_open":
        return [{ type: "heading", depth: Number(token.tag.slice(1)), nodes: this.blocksUntil("heading_close") }];
      case "blockquote_open":
        return [{ type: "blockquote", nodes: this.blocksUntil("blockquote_close") }];
      case "bullet_list_open":
        return [{ type: "list", start: undefined, items: this.#items("bullet_list_close") }];
      case "ordered_list_open":
        return [{ type: "list", start: Number(token.attrGet("start") ?? 1), items: this.#items("ordered_list_close") }];
      case "fence":
      case "code_block":
        return [
          {
            type: "code",
            text: token.content.replace(/\n$/, ""),
            language: token.info.trim().split(/\s/)[0]?.slice(0, 40) ?? "",
          },
        ];
      case "hr":
        return [{ type: "hr" }];
      case "math":
        return [mathOf(token)];
      case "table_open":
        return [this.#table()];
      default:
        return [];
    }
  }

  #items(end: string): ListItem[] {
    const items: ListItem[] = [];
    for (let token = this.#take(); token !== undefined && token.type !== end; token = this.#take()) {
      const checked = this.#takeBox();
      items.push({ checked, nodes: this.blocksUntil("list_item_close") });
    }
    return items;
  }

  /** The box of a task at the start of an item's words; afterwards the words no longer have it. */
  #takeBox(): boolean | undefined {
    const words = this.#tokens[this.#next + 1];
    if (this.#tokens[this.#next]?.type !== "paragraph_open" || words === undefined) return undefined;
    const [all, mark] = /^\[([ xX])\]\s+/.exec(words.content) ?? [];
    if (all === undefined) return undefined;
    words.content = words.content.slice(all.length);
    return mark !== " ";
  }

  #table(): MarkdownNode {
    const alignments: Alignment[] = [];
    const rows: MarkdownNode[][][] = [];
    for (let token = this.#take(); token !== undefined && token.type !== "table_close"; token = this.#take()) {
      if (token.type === "tr_open") rows.push([]);
      if (token.type !== "th_open" && token.type !== "td_open") continue;
      if (token.type === "th_open") alignments.push(alignmentOf(token));
      rows.at(-1)?.push(this.blocksUntil(token.type === "th_open" ? "th_close" : "td_close"));
    }
    const [header = [], ...body] = rows;
    return { type: "table", alignments, header, rows: body };
  }

  #countNodes(count: number): void {
    this.size += count;
    if (this.size > mostNodes) throw new TooTangled();
  }

  #inline(content: string): MarkdownNode[] {
    // Letters with a hundred accents are one shape each, which takes a browser as long as a page of words.
    if (
      content.length > longestParagraph ||
      (content.match(/[*_~]/g) ?? []).length > mostMarks ||
      /\p{M}{50}/u.test(content)
    )
      throw new TooTangled();
    const tokens = readInline(content, this.#references);
    this.#countNodes(tokens.length);
    this.#formulas += tokens.filter(({ type }) => type === "math").length;
    return inlineNodes(tokens, this.#formulas <= mostFormulas);
  }
}

/** What stands between the start of an emphasis or a link and its end. */
interface Open {
  readonly nodes: MarkdownNode[];
  readonly wrap: (nodes: readonly MarkdownNode[]) => MarkdownNode;
}

function inlineNodes(tokens: readonly Token[], drawsFormulas: boolean): MarkdownNode[] {
  const stack: Open[] = [];
  let nodes: MarkdownNode[] = [];
  /** Emphasis within emphasis, deeper than is shown: the marks stay. */
  let tooDeep = 0;
  let links = 0;
  for (const token of tokens) {
    if (token.type === "link_open") links++;
    if (token.type === "link_close") links--;
    if (token.nesting === 0)
      nodes.push(...(token.type === "text" && links === 0 ? withMail(token.content) : leafOf(token, drawsFormulas)));
    else if (tooDeep > 0 || (token.nesting === 1 && stack.length >= deepestNesting)) {
      tooDeep += token.nesting;
      nodes.push({ type: "text", text: token.markup });
    } else if (token.nesting === 1) {
      stack.push({ nodes, wrap: wrapperOf(token) });
      nodes = [];
    } else {
      const container = stack.pop();
      if (container === undefined) continue;
      container.nodes.push(container.wrap(nodes));
      nodes = container.nodes;
    }
  }
  return nodes;
}

function wrapperOf(token: Token): Open["wrap"] {
  if (token.type === "link_open") {
    const href = String(token.attrGet("href") ?? "");
    return (nodes) => ({ type: "link", href, nodes });
  }
  const type = token.type === "strong_open" ? "strong" : token.type === "em_open" ? "em" : "del";
  return (nodes) => ({ type, nodes });
}

/** Mail addresses as links, also where a text in Chinese leaves no space before them. */
function withMail(text: string): MarkdownNode[] {
  if (!text.includes("@")) return textOf(text);
  const nodes: MarkdownNode[] = [];
  let end = 0;
  for (const { 0: address, index } of text.matchAll(
    /(?<![\w.+/@-])[A-Za-z\d][\w.+-]{0,63}@(?:[A-Za-z\d][A-Za-z\d-]{0,62}\.){1,8}[A-Za-z]{2,24}(?![\w@-])/g,
  )) {
    nodes.push(...textOf(text.slice(end, index)), { type: "link", href: `mailto:${address}`, nodes: textOf(address) });
    end = index + address.length;
  }
  return [...nodes, ...textOf(text.slice(end))];
}

function textOf(text: string): MarkdownNode[] {
  return text === "" ? [] : [{ type: "text", text }];
}

function leafOf(token: Token, drawsFormulas: boolean): MarkdownNode[] {
  switch (token.type) {
    case "text":
      return textOf(token.content);
    case "softbreak":
    case "hardbreak":
      return [{ type: "break" }];
    case "code_inline":
      return [{ type: "codespan", text: token.content }];
    case "math":
      return [drawsFormulas ? mathOf(token) : { type: "codespan", text: mathOf(token).source }];
    case "image":
      return [{ type: "image", text: descriptionOf(token) }];
    default:
      return [];
  }
}

/** A picture's description without its marks, or else its title. */
function descriptionOf(image: Token): string {
  const words = (image.children ?? []).map((token) => (token.type === "image" ? descriptionOf(token) : token.content));
  const text = words.join("");
  return text === "" ? String(image.attrGet("title") ?? "") : text;
}

function mathOf(token: Token): MathNode {
  return {
    type: "math",
    source: typeof token.meta?.["source"] === "string" ? token.meta["source"] : token.content,
    tex: token.content,
    display: token.markup === "$$",
    closed: token.info !== "open",
  };
}

function alignmentOf(cell: Token): Alignment {
  const style = String(cell.attrGet("style") ?? "");
  return (["left", "center", "right"] as const).find((side) => style.endsWith(side));
}
