// The offer of a model that was looked up: its size, whether it fits this device, and the button that downloads it.
//   data-testid="model-offer" with data-fit
import type { JSX } from "preact";
import type { PreviewedModel } from "#chat/models/storage.ts";
import { formatNumber, formatSize } from "#ui/parts/format.ts";
import { useTexts, type Texts } from "#ui/texts/texts.ts";

interface ModelOfferProps {
  readonly model: PreviewedModel;
  /** The card around the offer shows the name already. */
  readonly named?: boolean;
  readonly metered: boolean;
  readonly onStart: (model: PreviewedModel) => void;
  readonly onFromMemory: (model: PreviewedModel) => void;
}

export function ModelOffer({ model, named = false, metered, onStart, onFromMemory }: ModelOfferProps): JSX.Element {
  const t = useTexts();
  const { name, bytes, license, fit, baseName, tokensPerSecond } = model;
  const size = formatSize(t, bytes);
  return (
    <div
      class={named ? "model-offer" : "model-offer model-card"}
      role="status"
      data-testid="model-offer"
      data-fit={fit.verdict}
    >
      <p>
        {!named && <strong>{name}</strong>}
        <small>{t.storage.facts(size, license)}</small>
      </p>
      <p class="model-offer-fit">
        {baseName !== undefined && `${t.storage.adapterOf(baseName)} · `}
        {t.storage.verdicts[fit.verdict]}
        {tokensPerSecond !== undefined && ` · ${t.storage.pace(roughly(t, tokensPerSecond))}`}
      </p>
      <ul class="dialog-points">
        {fit.reasons.map((reason) => (
          <li key={reason}>{t.storage.reasons[reason]}</li>
        ))}
        {metered && <li>{t.storage.metered}</li>}
      </ul>
      <p class="card-actions">
        <button
          type="button"
          class={fit.verdict === "wont-fit" ? "button" : "button button-primary"}
          onClick={() => onStart(model)}
        >
          {t.storage.download(size)}
        </button>
        {fit.reasons.includes("no-room") && (
          <button type="button" class="button" onClick={() => onFromMemory(model)}>
            {t.storage.fromMemoryOnly}
          </button>
        )}
      </p>
    </div>
  );
}

/** Rounded to one significant digit, since it is an estimate. */
function roughly(t: Texts, tokensPerSecond: number): string {
  if (tokensPerSecond < 1) return formatNumber(t, tokensPerSecond, 1);
  const scale = 10 ** Math.floor(Math.log10(tokensPerSecond));
  return formatNumber(t, Math.round(tokensPerSecond / scale) * scale);
}
