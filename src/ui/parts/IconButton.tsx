// A button that shows an icon. Its label is what a screen reader says and what the pointer shows.
import type { JSX } from "preact";

interface IconButtonProps extends Omit<JSX.IntrinsicElements["button"], "aria-label" | "class" | "title" | "type"> {
  readonly label: string;
  /** For rows of tools. */
  readonly small?: boolean;
  /** A class of its own, for styles that mean this button alone. */
  readonly kind?: string;
}

export function IconButton({ label, small = false, kind, ...attributes }: IconButtonProps): JSX.Element {
  const classes = `icon-button${small ? " icon-button-small" : ""}${kind === undefined ? "" : ` ${kind}`}`;
  return <button {...attributes} type="button" class={classes} aria-label={label} title={label} />;
}
