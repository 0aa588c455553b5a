// Highlights a block of code once the highlighter is loaded and the page has time. While the code grows, the part that was highlighted
// keeps its colors, and the rest has none until it is read.
import { useEffect, useRef, useState } from "preact/hooks";
import type { CodePiece, highlight } from "./highlight.ts";
import { isHighlightable, languageOf } from "./languages.ts";
import { later } from "./slices.ts";

/** At least so long between two highlightings of growing code, which each start from its beginning. */
const restMs = 250;
/** Each is an element. */
const mostPieces = 4_000;

interface Known {
  readonly text: string;
  readonly pieces: readonly CodePiece[];
}

let loaded: typeof highlight | undefined;

export function useHighlight(text: string, languageName: string): readonly CodePiece[] {
  const [known, setKnown] = useState<Known | undefined>(undefined);
  const readAt = useRef(-Infinity);
  const language = isHighlightable(text) ? languageOf(languageName) : undefined;
  useEffect(() => {
    if (language === undefined) return undefined;
    let cancel = (): unknown => undefined;
    const read = (): void => {
      readAt.current = performance.now();
      const pieces = loaded?.(text, language);
      if (pieces !== undefined && pieces.length <= mostPieces) setKnown({ text, pieces });
    };
    const timer = setTimeout(
      () => {
        if (loaded !== undefined) cancel = later(read);
        else
          import("./highlight.ts").then(
            (module) => {
              loaded = module.highlight;
              cancel = later(read);
            },
            // Offline before it was ever stored: code can be read without colors.
            () => undefined,
          );
      },
      Math.max(0, readAt.current + restMs - performance.now()),
    );
    return () => {
      clearTimeout(timer);
      cancel();
    };
  }, [text, language]);
  if (language === undefined || known === undefined || !text.startsWith(known.text)) return [{ text, kind: undefined }];
  const rest = text.slice(known.text.length);
  return rest === "" ? known.pieces : [...known.pieces, { text: rest, kind: undefined }];
}
