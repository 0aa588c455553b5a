// Text that is shown as it was written, because it is too long or too tangled to be read as Markdown. It may be megabytes: it stands in
// pieces that a browser can lay out one by one, and that come onto the page a few at a time.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { later } from "./slices.ts";

const pieceLength = 2_000;
const pieceLines = 60;
const piecesAtATime = 6;

/** Pieces of a text that don't change when more comes; cut at the end of a line where there is one, else between words. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    let end = Math.min(text.length, start + pieceLength);
    if (end < text.length) {
      const window = text.slice(start, end);
      const line = endOfLines(window);
      const word = window.lastIndexOf(" ") + 1;
      if (line > 0) end = start + line;
      else if (word > pieceLength / 2) end = start + word;
      else if (/[\uD800-\uDBFF]$/.test(window)) end--;
    }
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** Where a piece that begins here may end after a line; 0 within the first. */
function endOfLines(window: string): number {
  let end = 0;
  for (let line = 0; line < pieceLines; line++) {
    const next = window.indexOf("\n", end) + 1;
    if (next === 0) break;
    end = next;
  }
  return end;
}

export function MarkdownPlain({ text }: { readonly text: string }): JSX.Element {
  const pieces = piecesOf(text);
  const [count, setCount] = useState(piecesAtATime);
  useEffect(
    () => (count < pieces.length ? later(() => setCount(count + piecesAtATime)) : undefined),
    [count, pieces.length],
  );
  return (
    <div class="markdown-plain">
      {pieces.slice(0, count).map((piece, index) => (
        <p key={index} dir="auto">
          {piece.replace(/\n$/, "")}
        </p>
      ))}
    </div>
  );
}
