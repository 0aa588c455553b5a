// A block of code with its language and a button that copies it.
import type { JSX } from "preact";
import { CopyButton } from "#ui/parts/CopyButton.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useHighlight } from "./use-highlight.ts";

interface MarkdownCodeProps {
  readonly text: string;
  /** As the answer names it; "" for none. */
  readonly language: string;
}

/** Wide lines scroll by themselves, for the keyboard too. */
export function MarkdownCode({ text, language }: MarkdownCodeProps): JSX.Element {
  const t = useTexts();
  const pieces = useHighlight(text, language);
  return (
    <div class="code-block" data-testid="code-block">
      <div class="code-head">
        <span>{language}</span>
        <CopyButton text={text} label={t.copyCode} />
      </div>
      <pre tabIndex={0} dir="ltr" aria-label={language === "" ? t.code : language}>
        <code>
          {pieces.map((piece, index) =>
            piece.kind === undefined ? (
              piece.text
            ) : (
              <span key={index} class={`code-${piece.kind}`}>
                {piece.text}
              </span>
            ),
          )}
        </code>
      </pre>
    </div>
  );
}
