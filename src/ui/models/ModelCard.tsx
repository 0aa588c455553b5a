// One model or server in the models view: its name, what is to be known of it, one row of buttons, and what came of them.
import type { ComponentChildren, JSX } from "preact";

interface ModelCardProps {
  readonly testId: "stored-model" | "zoo-model" | "server";
  readonly name: string;
  /** For what describes a button by its card. */
  readonly nameId?: string;
  /** None of them empty. */
  readonly facts: readonly string[];
  /** Such as "In use". */
  readonly badge?: string | undefined;
  readonly actions?: ComponentChildren;
  /** Under the buttons. */
  readonly children?: ComponentChildren;
}

export function ModelCard({ testId, name, nameId, facts, badge, actions, children }: ModelCardProps): JSX.Element {
  return (
    <li class="model-card" data-testid={testId}>
      <div class="model-card-about">
        <p class="model-card-name">
          <strong id={nameId}>{name}</strong>
          {badge !== undefined && <span class="badge">{badge}</span>}
        </p>
        <small>{facts.join(" · ")}</small>
      </div>
      {actions}
      {children}
    </li>
  );
}
