// A block of code with its language and a button that copies it.
import type { JSX } from "preact";
import { CheckIcon, CopyIcon, WarnIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useCopyState } from "#ui/parts/use-copy-state.ts";
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
  const [state, setState] = useCopyState();
  const label = state === "copied" ? t.copied : state === "failed" ? t.copyFailed : t.copyCode;
  return (
    <div class="code-block" data-testid="code-block">
      <div class="code-head">
        <span>{language}</span>
        <button
          type="button"
          class="icon-button icon-button-small"
          aria-label={label}
          title={label}
          onClick={() => {
            // Pages over plain HTTP have no clipboard at all; others may be refused it.
            Promise.resolve()
              .then(() => navigator.clipboard.writeText(text))
              .then(
                () => setState("copied"),
                () => setState("failed"),
              );
          }}
        >
          {state === "copied" ? <CheckIcon /> : state === "failed" ? <WarnIcon /> : <CopyIcon />}
        </button>
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
