// Shows how full the model's context is before a question overflows it, with ways to make room.
import type { JSX } from "preact";
import type { Budget } from "#chat/conversation/budget.ts";
import { formatNumber } from "#ui/parts/format.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface BudgetNoteProps {
  readonly budget: Budget;
  /** The buttons are shown only if there is a draft to send. */
  readonly hasDraft: boolean;
  readonly onForget: () => void;
  readonly onAnew: () => void;
}

/** Renders nothing while there is plenty of room. `data-state` is tight or full. */
export function BudgetNote({ budget, hasDraft, onForget, onAnew }: BudgetNoteProps): JSX.Element | null {
  const t = useTexts();
  if (budget.state === "enough") return null;
  const used = Math.min(budget.usedTokens, budget.contextLength);
  const label = t.budget.used(formatNumber(t, budget.usedTokens), formatNumber(t, budget.contextLength));
  return (
    <div class="budget" data-testid="budget" data-state={budget.state}>
      <p class="budget-text" role="status">
        {budget.state === "full" && <strong>{t.budget.full} </strong>}
        {label}
      </p>
      <meter
        aria-hidden="true"
        min={0}
        max={budget.contextLength}
        high={budget.contextLength * 0.9}
        optimum={0}
        value={used}
      />
      {budget.state === "full" && hasDraft && (
        <p class="budget-choice">
          {budget.canForget && (
            <button type="button" class="button" onClick={onForget}>
              {t.budget.forgetAndAsk}
            </button>
          )}
          <button type="button" class="button" onClick={onAnew}>
            {t.budget.anew}
          </button>
        </p>
      )}
    </div>
  );
}
