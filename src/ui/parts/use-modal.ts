// A modal <dialog> that is open for as long as it is rendered; closed, it gives the focus back to what opened it.
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Modal {
  readonly ref: RefObject<HTMLDialogElement | null>;
  /** For the dialog's close event, where the browser closes it without asking (a second Escape with nothing done in between). */
  readonly onClose: () => void;
}

/** `close` takes the dialog out of what is rendered. */
export function useModal(close: () => void): Modal {
  const ref = useRef<HTMLDialogElement | null>(null);
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return undefined;
    const opener = document.activeElement;
    dialog.showModal();
    // Escape takes it out of what is rendered at once. The close event comes later than the focus is back, and would take along what was opened meanwhile.
    dialog.addEventListener("cancel", (event) => {
      if (event.target !== dialog) return; // A file picker's bubbles.
      event.preventDefault();
      latest.current();
    });
    return () => {
      // The browser gives the focus back only where a dialog is closed while it is in the page.
      if (document.activeElement !== document.body) return;
      if (opener instanceof HTMLElement) opener.focus();
      if (document.activeElement === document.body) focusQuestion();
    };
  }, []);
  return {
    ref,
    onClose() {
      // The event of a dialog that is gone must not close the one in its place.
      if (ref.current !== null) close();
    },
  };
}

/** Where the button that was pressed goes away, the focus goes on; on a touch screen that would only open the keyboard. */
export function focusQuestion(): void {
  if (matchMedia("(pointer: fine)").matches) document.getElementById("question")?.focus();
}
