// Keeps a text area as high as its text, and tells which key sends it.
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** Sets the height whenever the text changes; styles set the limit. */
export function useGrowingHeight(area: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
}

/** Whether the key sends: Enter without Shift, unless it ends the composition of an input method. */
export function isSendKey(event: KeyboardEvent): boolean {
  // Safari reports the Enter that ends a composition as an ordinary key, with this code.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const isComposing = event.isComposing || event.keyCode === 229;
  return event.key === "Enter" && !event.shiftKey && !isComposing;
}
