// One formula: its source at first, and the drawing as soon as what draws it has come.
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

type Draw = (tex: string, display: boolean, element: HTMLElement) => boolean;
let loaded: Draw | undefined;

interface MarkdownMathProps {
  readonly tex: string;
  readonly display: boolean;
  readonly source: string;
}

/** Stays the source where the formula can't be drawn. */
export function MarkdownMath({ tex, display, source }: MarkdownMathProps): JSX.Element {
  const element = useRef<HTMLElement>(null);
  const [draw, setDraw] = useState<Draw | undefined>(() => loaded);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let wanted = true;
    if (draw === undefined)
      import("./markdown-katex.ts").then(
        ({ drawFormula }) => {
          loaded = drawFormula;
          if (wanted) setDraw(() => drawFormula);
        },
        // Offline before it was ever stored: the source can be read.
        () => undefined,
      );
    return () => {
      wanted = false;
    };
  }, [draw]);
  useLayoutEffect(() => {
    if (draw !== undefined && element.current !== null) setFailed(!draw(tex, display, element.current));
  }, [draw, tex, display]);
  const kind = display ? "math math-display" : "math";
  if (draw === undefined || failed) return <code class={`${kind} math-source`}>{source}</code>;
  // A formula too wide for the page scrolls by itself, for the keyboard too.
  return <span key="drawn" class={kind} ref={element} {...(display ? { tabIndex: 0 } : {})} data-testid="formula" />;
}
