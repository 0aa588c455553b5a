// Shows an answer's Markdown. Nodes become elements one by one and no HTML is ever parsed, so there is nothing in an answer that could
// run, load or lie over the page: HTML in it is shown as text, a picture as its description, a link with where it leads.
import { Fragment, type ComponentChildren, type JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { GrowingMarkdown } from "./growing.ts";
import type { MarkdownBlock, MarkdownNode, TableNode } from "./nodes.ts";
import { safeHref } from "./markdown.ts";
import { MarkdownCode } from "./MarkdownCode.tsx";
import { MarkdownMath } from "./MarkdownMath.tsx";
import { MarkdownPlain } from "./MarkdownPlain.tsx";

interface MarkdownProps {
  /** May end anywhere, as it does while it streams. */
  readonly text: string;
  readonly class: string;
  readonly testId?: string;
}

interface Shown {
  readonly block: MarkdownBlock;
  readonly view: ComponentChildren;
}

/**
 * Blocks that are finished keep their elements while the text goes on; a long text arrives on the page part by part, and the element is
 * `aria-busy` until all of it is there.
 */
export function Markdown({ text, class: className, testId }: MarkdownProps): JSX.Element {
  const [, redraw] = useState(0);
  const growing = useRef<GrowingMarkdown | undefined>(undefined);
  const shown = useRef<readonly Shown[]>([]);
  growing.current ??= new GrowingMarkdown(() => redraw((count) => count + 1));
  useEffect(() => () => growing.current?.end(), []);
  shown.current = growing.current.blocksOf(text).map((block, index): Shown => {
    const before = shown.current[index];
    // The same element object again tells Preact that there is nothing to do.
    return before?.block === block ? before : { block, view: <Fragment key={index}>{viewOfBlock(block)}</Fragment> };
  });
  const [first = [], ...parts] = partsOf(shown.current);
  return (
    <div class={className} data-testid={testId} aria-busy={!growing.current.isDone}>
      {first.map(({ view }) => view)}
      {parts.map((part, index) => (
        <div key={`part ${index}`} class="answer-part">
          {part.map(({ view }) => view)}
        </div>
      ))}
    </div>
  );
}

/** The first screens of a long answer, and then parts that are laid out only when they come near the screen. */
function partsOf(shown: readonly Shown[]): Shown[][] {
  const parts: Shown[][] = [];
  let size = Infinity;
  for (const one of shown) {
    const isFirst = parts.length <= 1;
    if (size > (isFirst ? 1_500 : 500) || (parts.at(-1)?.length ?? 0) >= (isFirst ? 40 : 10)) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(one);
    size += one.block.size;
  }
  return parts;
}

function viewOfBlock(block: MarkdownBlock): ComponentChildren {
  switch (block.type) {
    case "plain":
      return <MarkdownPlain text={block.raw} />;
    case "space":
    case "def":
      return null;
    default:
      return viewOf(block);
  }
}

function viewsOf(nodes: readonly MarkdownNode[]): ComponentChildren {
  return nodes.map((node, index) =>
    node.type === "text" ? node.text : <Fragment key={index}>{viewOf(node)}</Fragment>,
  );
}

function viewOf(node: MarkdownNode): ComponentChildren {
  switch (node.type) {
    case "text":
    case "image":
      return node.text;
    case "break":
      return <br />;
    case "hr":
      return <hr />;
    case "strong":
      return <strong>{viewsOf(node.nodes)}</strong>;
    case "em":
      return <em>{viewsOf(node.nodes)}</em>;
    case "del":
      return <del>{viewsOf(node.nodes)}</del>;
    case "codespan":
      return <code dir="ltr">{node.text}</code>;
    case "paragraph":
      return <p dir="auto">{viewsOf(node.nodes)}</p>;
    case "blockquote":
      return (
        <blockquote dir="auto" class={sideOf(node.nodes)}>
          {viewsOf(node.nodes)}
        </blockquote>
      );
    case "heading":
      return <Heading depth={node.depth}>{viewsOf(node.nodes)}</Heading>;
    case "code":
      return <MarkdownCode text={node.text} language={node.language} />;
    case "list":
      return <List node={node} />;
    case "table":
      return <Table node={node} />;
    case "link":
      return <Link node={node} />;
    case "math":
      if (node.closed) return <MarkdownMath tex={node.tex} display={node.display} source={node.source} />;
      return <code class="math math-display math-source">{node.source}</code>;
  }
}

interface ParentProps {
  readonly children: ComponentChildren;
}

function Link({ node }: { readonly node: Extract<MarkdownNode, { type: "link" }> }): JSX.Element {
  const address = safeHref(node.href);
  const [first] = node.nodes;
  const words = viewsOf(node.nodes);
  if (address === undefined) {
    // What leads nowhere from here stands as it was written: f[i](x) is code.
    const isWritten = first?.type === "text" && node.nodes.length === 1 && first.text === node.href;
    return <>{isWritten ? words : ["[", words, `](${node.href})`]}</>;
  }
  // The title tells where a link leads that says something else.
  return (
    <a href={address} title={address} target="_blank" rel="noopener noreferrer nofollow">
      {words}
    </a>
  );
}

/** The page has its headings; an answer's begin below them. */
function Heading({ depth, children }: ParentProps & { readonly depth: number }): JSX.Element {
  const level = Math.min(6, depth + 1);
  if (level === 2) return <h2 dir="auto">{children}</h2>;
  if (level === 3) return <h3 dir="auto">{children}</h3>;
  if (level === 4) return <h4 dir="auto">{children}</h4>;
  return level === 5 ? <h5 dir="auto">{children}</h5> : <h6 dir="auto">{children}</h6>;
}

function List({ node }: { readonly node: Extract<MarkdownNode, { type: "list" }> }): JSX.Element {
  const items = node.items.map(({ checked, nodes }, index) => (
    <li key={index} dir="auto" class={`${sideOf(nodes)}${checked === undefined ? "" : " task-item"}`}>
      {checked === undefined ? null : checked ? "☑ " : "☐ "}
      {viewsOf(nodes)}
    </li>
  ));
  const side = sideOf(node.items[0]?.nodes ?? []);
  if (node.start === undefined) return <ul class={side}>{items}</ul>;
  return (
    <ol class={side} {...(node.start === 1 ? {} : { start: node.start })}>
      {items}
    </ol>
  );
}

/** Each block has the direction of its own words; the marks and lines around it stand where its first words begin. */
function sideOf(nodes: readonly MarkdownNode[]): "" | "starts-right" {
  const letter = /\p{L}/u.exec(firstWordsOf(nodes))?.[0] ?? "";
  return /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF]/.test(letter) ? "starts-right" : "";
}

function firstWordsOf(nodes: readonly MarkdownNode[]): string {
  for (const node of nodes) {
    const words = node.type === "text" ? node.text.slice(0, 200) : "nodes" in node ? firstWordsOf(node.nodes) : "";
    if (/\p{L}/u.test(words)) return words;
  }
  return "";
}

function Table({ node }: { readonly node: TableNode }): JSX.Element {
  const alignment = (column: number): { class?: string } => {
    const side = node.alignments[column];
    return side === "center" || side === "right" ? { class: `cell-${side}` } : {};
  };
  return (
    <div class="table-scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {node.header.map((cell, column) => (
              <th key={column} scope="col" dir="auto" {...alignment(column)}>
                {viewsOf(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {node.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} dir="auto" {...alignment(column)}>
                  {viewsOf(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
