// The page's keyboard shortcuts, but for the keys of the question box and of the picture viewer.
import { useEffect, useRef } from "preact/hooks";

interface ShortcutHandlers {
  readonly onHelp: () => void;
  readonly onNewChat: () => void;
  readonly onSearch: () => void;
  readonly onFocusQuestion: () => void;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])"));

/** Single characters act only while no text field has the focus; no key acts while a dialog is open. */
export function useShortcuts(handlers: ShortcutHandlers): void {
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    const hear = (event: KeyboardEvent): void => {
      if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      const act = actionFor(event, latest.current);
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, []);
}

function actionFor(event: KeyboardEvent, handlers: ShortcutHandlers): (() => void) | undefined {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey;
  const key = event.key.toLowerCase();
  if (command && event.shiftKey && key === "o") return handlers.onNewChat;
  if (command && !event.shiftKey && key === "k") return handlers.onSearch;
  if (command && key === "/") return handlers.onHelp;
  if (command || event.altKey) return undefined;
  if (event.shiftKey && event.key === "Escape") return handlers.onFocusQuestion;
  if (isTyping(event.target)) return undefined;
  if (event.key === "?") return handlers.onHelp;
  if (event.key === "/") return handlers.onFocusQuestion;
  return undefined;
}
