// The keys of the page: J and K or the arrows page through the questions, / goes to the search.
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

interface Paging {
  readonly move: (step: -1 | 1) => void;
  readonly search: RefObject<HTMLInputElement | null>;
}

const steps: Readonly<Record<string, -1 | 1>> = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1 };

/** Keys act only while no field or list of choices has the focus. */
export function usePaging({ move, search }: Paging): void {
  // Before the page is painted: with useEffect a key pressed right after the question appeared still moved from the question before it.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof Element && event.target.closest("input, select, textarea") !== null;
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = steps[event.key];
      if (step !== undefined) move(step);
      else if (event.key === "/") search.current?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}
