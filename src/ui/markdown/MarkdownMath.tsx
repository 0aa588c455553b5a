// One formula: shows its source until KaTeX is loaded and the page has time to draw it.
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { isDrawable } from "./math.ts";
import { isLate, later } from "./slices.ts";

type Draw = (tex: string, display: boolean) => HTMLElement | undefined;
let loaded: Draw | undefined;

interface MarkdownMathProps {
  readonly tex: string;
  readonly display: boolean;
  readonly source: string;
}

interface Drawing {
  readonly tex: string;
  /** Undefined when the formula can't be drawn. */
  readonly element: HTMLElement | undefined;
}

/** Stays the source where the formula can't be drawn. */
export function MarkdownMath({ tex, display, source }: MarkdownMathProps): JSX.Element {
  const [drawing, setDrawing] = useState<Drawing | undefined>(undefined);
  const place = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    if (!isDrawable(tex)) return undefined;
    let wanted = true;
    const draw = (): void => {
      if (!wanted || loaded === undefined) return;
      setDrawing({ tex, element: loaded(tex, display) });
      isLate(30 + tex.length);
    };
    const drawInTurn = (): void => {
      if (isLate()) later(draw);
      else draw();
    };
    if (loaded !== undefined) drawInTurn();
    else
      import("./katex.ts").then(
        ({ drawFormula }) => {
          loaded = drawFormula;
          drawInTurn();
        },
        // Offline before it was ever stored: the source can be read.
        () => undefined,
      );
    return () => {
      wanted = false;
    };
  }, [tex, display]);
  const element = drawing?.tex === tex ? drawing.element : undefined;
  useLayoutEffect(() => {
    if (element !== undefined) place.current?.replaceChildren(element);
  }, [element]);
  const kind = display ? "math math-display" : "math";
  if (element === undefined)
    return (
      <code dir="ltr" class={`${kind} math-source`}>
        {source}
      </code>
    );
  // A formula too wide for the page scrolls by itself, for the keyboard too.
  return (
    <span key="drawn" dir="ltr" class={kind} ref={place} {...(display ? { tabIndex: 0 } : {})} data-testid="formula" />
  );
}
