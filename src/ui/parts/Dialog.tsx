// A modal dialog on the browser's own <dialog>: focus trap, Escape and focus return come with it.
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { CloseIcon } from "./icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useModal } from "./use-modal.ts";

interface DialogProps {
  readonly title: string;
  /** For what stands side by side. */
  readonly wide?: boolean;
  readonly onClose: () => void;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly children: ComponentChildren;
}

/** A part of a dialog under its own heading. */
export function Section(props: { readonly title: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <section class="dialog-section" aria-label={props.title}>
      <h3 class="dialog-section-title">{props.title}</h3>
      {props.children}
    </section>
  );
}

/** Open for as long as it is rendered. */
export function Dialog({ title, wide = false, onClose, onKeyDown, children }: DialogProps): JSX.Element {
  const t = useTexts();
  const titleId = useId();
  const modal = useModal(onClose);
  return (
    <dialog
      ref={modal.ref}
      class={`dialog${wide ? " dialog-wide" : ""}`}
      aria-labelledby={titleId}
      onClose={modal.onClose}
      {...(onKeyDown === undefined ? {} : { onKeyDown })}
      onClick={(event) => {
        // A click on the backdrop has the dialog itself as its target.
        if (event.target === modal.ref.current) onClose();
      }}
    >
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id={titleId}>{title}</h2>
          <button type="button" class="icon-button" aria-label={t.close} onClick={onClose}>
            <CloseIcon />
          </button>
        </header>
        <div class="dialog-body">{children}</div>
      </div>
    </dialog>
  );
}
