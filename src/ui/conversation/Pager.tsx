// ‹ 2/3 ›: pages between the alternatives at a turn's place.
import type { JSX } from "preact";
import type { Alternatives } from "#chat/conversation/branches.ts";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { NextIcon, PreviousIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";

interface PagerProps extends Alternatives {
  readonly disabled: boolean;
  readonly onPage: (step: -1 | 1) => void;
}

/** Nothing where there is only one. The buttons stay focusable at the ends, so that the keyboard does not lose its place. */
export function Pager({ index, count, disabled, onPage }: PagerProps): JSX.Element | null {
  const t = useTexts();
  if (count < 2) return null;
  const button = (step: -1 | 1, label: string, icon: JSX.Element): JSX.Element => {
    const end = disabled || (step < 0 ? index === 0 : index === count - 1);
    return (
      <IconButton
        label={label}
        small
        aria-disabled={end}
        onClick={() => {
          if (!end) onPage(step);
        }}
      >
        {icon}
      </IconButton>
    );
  };
  return (
    <span class="pager" role="group" aria-label={t.turnTools.alternativeLong(index + 1, count)} data-testid="pager">
      {button(-1, t.turnTools.previous, <PreviousIcon />)}
      <span class="pager-count" aria-live="polite">
        <span class="visually-hidden">{t.turnTools.alternativeLong(index + 1, count)}</span>
        <span aria-hidden="true">{t.turnTools.alternative(index + 1, count)}</span>
      </span>
      {button(1, t.turnTools.next, <NextIcon />)}
    </span>
  );
}
