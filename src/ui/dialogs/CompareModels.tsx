// Which models take part in a comparison, as checkboxes; what leaves this device says so.
import type { JSX } from "preact";
import type { ModelChoice } from "#chat/models/models.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface CompareModelsProps {
  readonly choices: readonly ModelChoice[];
  /** Ids of those that take part. */
  readonly chosen: readonly string[];
  readonly disabled: boolean;
  readonly onChosen: (ids: readonly string[]) => void;
}

export function CompareModels({ choices, chosen, disabled, onChosen }: CompareModelsProps): JSX.Element {
  const t = useTexts();
  return (
    <fieldset class="compare-models">
      <legend class="small-title">{t.compare.models}</legend>
      {choices.map(({ id, name, host }) => (
        <label key={id} class="compare-model">
          <input
            type="checkbox"
            checked={chosen.includes(id)}
            disabled={disabled}
            onChange={(event) =>
              onChosen(event.currentTarget.checked ? [...chosen, id] : chosen.filter((other) => other !== id))
            }
          />
          <span>
            {name}
            {host !== undefined && <small>{t.remote.sentTo(host)}</small>}
          </span>
        </label>
      ))}
      {chosen.length < 2 && <p class="dialog-note">{t.compare.chooseTwo}</p>}
    </fieldset>
  );
}
