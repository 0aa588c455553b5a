// A button with a small panel under it; a click elsewhere, Escape, or leaving it with the keyboard closes it.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";

interface DisclosureProps {
  readonly class: string;
  readonly panelLabel: string;
  readonly button: ComponentChildren;
  /** A function is given what closes the panel and brings the focus back to the button. */
  readonly children: ComponentChildren | ((close: () => void) => ComponentChildren);
  readonly attributes?: Readonly<Record<`data-${string}`, string>>;
}

/** Closed at first. The panel stands right after the button, so the keyboard reaches it next. */
export function Disclosure(props: DisclosureProps): JSX.Element {
  const [open, setOpen] = useState(false);
  const [below, setBelow] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panelId = useId();
  useEffect(() => {
    if (!open) return undefined;
    const closeOutside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) setOpen(false);
    };
    document.addEventListener("pointerdown", closeOutside);
    document.addEventListener("focusin", closeOutside);
    return () => {
      document.removeEventListener("pointerdown", closeOutside);
      document.removeEventListener("focusin", closeOutside);
    };
  }, [open]);
  useLayoutEffect(() => {
    // Styles put some panels above their button; near the top of the window there is no room for that.
    if (open) setBelow((panel.current?.getBoundingClientRect().top ?? 0) < 0);
    else setBelow(false);
  }, [open]);
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      class={`disclosure ${props.class}`}
      ref={root}
      {...props.attributes}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        close();
      }}
    >
      <button
        ref={button}
        type="button"
        class="disclosure-button"
        aria-expanded={open}
        aria-controls={open ? panelId : undefined}
        onClick={() => setOpen(!open)}
      >
        {props.button}
      </button>
      {open && (
        <div
          ref={panel}
          id={panelId}
          class={below ? "panel panel-below" : "panel"}
          role="group"
          aria-label={props.panelLabel}
        >
          {typeof props.children === "function" ? props.children(close) : props.children}
        </div>
      )}
    </div>
  );
}
