// Draws formulas. Imported only when an answer has one: KaTeX with its style and fonts comes from this page's own origin.
import katex from "katex";
import "katex/dist/katex.min.css";

/** The drawing, in an element of its own; undefined when it is no LaTeX that KaTeX knows. Ask `isDrawable` first. */
export function drawFormula(tex: string, display: boolean): HTMLElement | undefined {
  const element = document.createElement("span");
  try {
    katex.render(tex, element, {
      displayMode: display,
      throwOnError: true,
      // No links, pictures or attributes of its own; macros that unfold without end stop early.
      trust: false,
      strict: "ignore",
      maxExpand: 200,
      maxSize: 20,
    });
    return element;
  } catch {
    return undefined;
  }
}
