// What an answer's Markdown is made of once it has been read. Plain data: no HTML, nothing of the library that read it.

/** A formula. */
export interface MathNode {
  readonly type: "math";
  /** As it was written, with its delimiters. */
  readonly source: string;
  /** LaTeX without its delimiters. */
  readonly tex: string;
  /** On lines of its own. */
  readonly display: boolean;
  /** False for a formula that has begun and not ended: the answer may still be coming. */
  readonly closed: boolean;
}

export interface ListItem {
  /** Whether the box of a task is ticked; undefined for an item without a box. */
  readonly checked: boolean | undefined;
  readonly nodes: readonly MarkdownNode[];
}

export type Alignment = "left" | "center" | "right" | undefined;

export interface TableNode {
  readonly type: "table";
  readonly alignments: readonly Alignment[];
  readonly header: readonly (readonly MarkdownNode[])[];
  readonly rows: readonly (readonly (readonly MarkdownNode[])[])[];
}

export type MarkdownNode =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "break" }
  | { readonly type: "codespan"; readonly text: string }
  | { readonly type: "strong" | "em" | "del"; readonly nodes: readonly MarkdownNode[] }
  | { readonly type: "link"; readonly href: string; readonly nodes: readonly MarkdownNode[] }
  /** Its description: a picture from elsewhere would tell its server that this answer was read. */
  | { readonly type: "image"; readonly text: string }
  | { readonly type: "paragraph" | "blockquote"; readonly nodes: readonly MarkdownNode[] }
  | { readonly type: "heading"; readonly depth: number; readonly nodes: readonly MarkdownNode[] }
  | { readonly type: "code"; readonly text: string; readonly language: string }
  | { readonly type: "list"; readonly start: number | undefined; readonly items: readonly ListItem[] }
  | { readonly type: "hr" }
  | TableNode
  | MathNode;

/** A stretch of the text: something to show, text as it was written, or nothing (empty lines, and definitions of links). */
export type MarkdownBlock = (MarkdownNode | { readonly type: "plain" | "space" | "def" }) & {
  readonly raw: string;
  /** About how many elements and stretches of text it becomes. */
  readonly size: number;
};
