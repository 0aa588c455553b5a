// The card of one model or server in the models view: its name, facts about it, one row of buttons, and their results.
import type { ComponentChildren, JSX } from "preact";

interface ModelCardProps {
  readonly testId: "stored-model" | "zoo-model" | "zoo-part" | "server";
  /** Told as data-id. */
  readonly id?: string | undefined;
  readonly name: string;
  /** The id of the heading, for buttons that are described by their card. */
  readonly nameId?: string;
  /** Short facts; none is empty. */
  readonly facts: readonly string[];
  /** A short state, such as "In use". */
  readonly badge?: string | undefined;
  /** Default "good". */
  readonly badgeTone?: "good" | "plain" | "bad" | undefined;
  readonly actions?: ComponentChildren;
  /** Shown under the buttons. */
  readonly children?: ComponentChildren;
}

export function ModelCard(props: ModelCardProps): JSX.Element {
  const { testId, id, name, nameId, facts, badge, badgeTone = "good", actions, children } = props;
  return (
    <li class="model-card" data-testid={testId} data-id={id}>
      <div class="model-card-about">
        <p class="model-card-name">
          <strong id={nameId}>{name}</strong>
          {badge !== undefined && <span class={`badge badge-${badgeTone}`}>{badge}</span>}
        </p>
        <small>{facts.join(" · ")}</small>
      </div>
      {actions}
      {children}
    </li>
  );
}
