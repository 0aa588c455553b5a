// The models in GGUF that one place holds: what each costs, whether it fits this device, and which one is recommended. A click looks at the
// chosen one as at any other.   data-testid="gguf-models", and "gguf-model" with data-fit
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { GgufChoice } from "#worker/convert/convert-api.ts";
import { formatSize } from "#ui/parts/format.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface GgufModelsProps {
  readonly models: readonly GgufChoice[];
  readonly onChoose: (model: GgufChoice) => void;
}

export function GgufModels({ models, onChoose }: GgufModelsProps): JSX.Element {
  const t = useTexts();
  const id = useId();
  return (
    <div class="gguf-models model-card" role="status" data-testid="gguf-models">
      <p>{t.zoo.choose}</p>
      <ul>
        {models.map((model, i) => {
          const { name, quantization, fetchBytes, keepBytes, fit, recommended } = model;
          return (
            <li key={name} data-testid="gguf-model" data-fit={fit.verdict}>
              <p id={`${id}-${i}`}>
                <strong>{quantization ?? name}</strong>
                {recommended && <span class="badge">{t.zoo.recommended}</span>}
                <small>
                  {unbroken(t.zoo.offer(formatSize(t, fetchBytes), t.zoo.about(formatSize(t, keepBytes))))} ·{" "}
                  <span class="gguf-verdict">{t.zoo.verdicts[fit.verdict]}</span>
                </small>
              </p>
              <button
                type="button"
                class={recommended ? "button button-primary" : "button"}
                aria-describedby={`${id}-${i}`}
                onClick={() => onChoose(model)}
              >
                {t.zoo.chooseThis}
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** On a phone the line breaks here, and not between a number and its unit. */
const unbroken = (text: string): string => text.replaceAll(/(?<=\d) (?=[kMGB])/g, "\u00a0");
