// Shows an answer's Markdown. Tokens become elements one by one and no HTML is ever parsed, so there is nothing in an answer that
// could run, load or lie over the page: HTML in it is shown as text, a picture as its description, a link with where it leads.
import { Fragment, type ComponentChildren, type JSX } from "preact";
import { useRef } from "preact/hooks";
import {
  childrenOf,
  decodeEntities,
  readMarkdown,
  safeHref,
  type MarkdownBlock,
  type MarkdownBlocks,
  type MarkdownToken,
} from "./markdown.ts";
import { MarkdownCode } from "./MarkdownCode.tsx";
import { MarkdownMath } from "./MarkdownMath.tsx";

interface MarkdownProps {
  /** May end anywhere, as it does while it streams. */
  readonly text: string;
}

interface Shown {
  readonly block: MarkdownBlock;
  readonly view: ComponentChildren;
}

/** Blocks that are finished keep their elements while the text goes on. */
export function Markdown({ text }: MarkdownProps): JSX.Element {
  const read = useRef<MarkdownBlocks | undefined>(undefined);
  const shown = useRef<readonly Shown[]>([]);
  read.current = readMarkdown(text, read.current);
  shown.current = read.current.blocks.map((block, index): Shown => {
    const before = shown.current[index];
    // The same element object again tells Preact that there is nothing to do.
    return before?.block === block ? before : { block, view: <Fragment key={index}>{viewOf(block, 0)}</Fragment> };
  });
  return <>{shown.current.map(({ view }) => view)}</>;
}

/** Deeper than this nobody reads; what is inside is shown as it was written. */
const deepest = 24;

function viewsOf(tokens: Parameters<typeof childrenOf>[0], depth: number): ComponentChildren {
  return childrenOf(tokens).map((token, index) => <Fragment key={index}>{viewOf(token, depth + 1)}</Fragment>);
}

function viewOf(token: MarkdownBlock, depth: number): ComponentChildren {
  if (depth > deepest) return token.raw;
  switch (token.type) {
    case "plain":
      return <p class="markdown-plain">{token.raw}</p>;
    case "space":
    case "def":
      return null;
    case "hr":
      return <hr />;
    case "heading":
      return <Heading depth={token.depth}>{viewsOf(token.tokens, depth)}</Heading>;
    case "paragraph":
      return <p dir="auto">{viewsOf(token.tokens, depth)}</p>;
    case "code":
      return <MarkdownCode text={token.text} language={(token.lang ?? "").split(/\s/)[0]?.slice(0, 40) ?? ""} />;
    case "blockquote":
      return <blockquote>{viewsOf(token.tokens, depth)}</blockquote>;
    case "list":
      return <List token={token} depth={depth} />;
    case "list_item":
      return viewsOf(token.tokens, depth);
    case "table":
      return <Table token={token} depth={depth} />;
    case "math":
      if (token.closed) return <MarkdownMath tex={token.tex} display={token.display} source={token.raw.trim()} />;
      return <code class="math math-display math-source">{token.raw.trim()}</code>;
    case "html":
      return <Html text={token.text} block={token.block} />;
    default:
      return inlineOf(token, depth);
  }
}

type Inline = Extract<
  MarkdownToken,
  { type: "text" | "escape" | "strong" | "em" | "del" | "codespan" | "br" | "link" | "image" | "checkbox" }
>;

function inlineOf(token: Inline, depth: number): ComponentChildren {
  switch (token.type) {
    case "text":
      if (token.tokens !== undefined) return viewsOf(token.tokens, depth);
      return token.escaped === true ? token.text : decodeEntities(token.text);
    case "escape":
      return token.text;
    case "strong":
      return <strong>{viewsOf(token.tokens, depth)}</strong>;
    case "em":
      return <em>{viewsOf(token.tokens, depth)}</em>;
    case "del":
      return <del>{viewsOf(token.tokens, depth)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "image":
      // A picture from elsewhere would tell its server that this answer was read.
      return token.text === "" ? (token.title ?? "") : decodeEntities(token.text);
    case "checkbox":
      return token.checked ? "☑ " : "☐ ";
    case "link": {
      const href = safeHref(token.href);
      const inside = viewsOf(token.tokens, depth);
      if (href === undefined) return inside;
      // The title tells where a link leads that says something else.
      return (
        <a href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
          {inside}
        </a>
      );
    }
  }
}

/** The page has its headings; an answer's begin below them. */
function Heading({ depth, children }: { readonly depth: number; readonly children: ComponentChildren }): JSX.Element {
  const level = Math.min(6, depth + 1);
  if (level === 2) return <h2>{children}</h2>;
  if (level === 3) return <h3>{children}</h3>;
  if (level === 4) return <h4>{children}</h4>;
  return level === 5 ? <h5>{children}</h5> : <h6>{children}</h6>;
}

interface ListProps {
  readonly token: Extract<MarkdownToken, { type: "list" }>;
  readonly depth: number;
}

function List({ token, depth }: ListProps): JSX.Element {
  const items = token.items.map((item, index) => (
    <li key={index} {...(item.task ? { class: "task-item" } : {})}>
      {viewsOf(item.tokens, depth)}
    </li>
  ));
  if (!token.ordered) return <ul>{items}</ul>;
  return <ol {...(typeof token.start === "number" && token.start !== 1 ? { start: token.start } : {})}>{items}</ol>;
}

interface TableProps {
  readonly token: Extract<MarkdownToken, { type: "table" }>;
  readonly depth: number;
}

function Table({ token, depth }: TableProps): JSX.Element {
  const alignment = (align: string | null): { class?: string } =>
    align === "center" || align === "right" ? { class: `cell-${align}` } : {};
  return (
    <div class="table-scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {token.header.map((cell, index) => (
              <th key={index} scope="col" {...alignment(cell.align)}>
                {viewsOf(cell.tokens, depth)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} {...alignment(cell.align)}>
                  {viewsOf(cell.tokens, depth)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Shown as written, but for the line breaks that models put into tables. */
function Html({ text, block }: { readonly text: string; readonly block: boolean }): JSX.Element {
  if (/^<br\s*\/?>$/i.test(text.trim())) return <br />;
  return block ? <p class="markdown-plain">{text.trim()}</p> : <>{text}</>;
}
