// The offer of a model that was looked up: what it costs, whether it fits this device, and the button that downloads it, and converts it
// where it is a checkpoint.   data-testid="model-offer" with data-fit
import type { JSX } from "preact";
import type { CheckpointOffer, PreviewedModel } from "#chat/models/look-up/look-up.ts";
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
  const { name, bytes, license, fit, baseName, tokensPerSecond, checkpoint } = model;
  const size = formatSize(t, bytes);
  const cost = checkpoint === undefined ? size : t.zoo.offer(formatSize(t, checkpoint.fetchBytes), size);
  return (
    <div
      class={named ? "model-offer" : "model-offer model-card"}
      role="status"
      data-testid="model-offer"
      data-fit={fit.verdict}
    >
      <p>
        {!named && <strong>{name}</strong>}
        <small>{t.storage.facts(cost, license)}</small>
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
        {checkpoint !== undefined && factsOf(t, checkpoint).map((fact) => <li key={fact}>{fact}</li>)}
      </ul>
      {checkpoint !== undefined && checkpoint.notes.length > 0 && (
        <details class="dialog-details">
          <summary>{t.zoo.notes}</summary>
          <ul class="dialog-points">
            {checkpoint.notes.map((note) => (
              <li key={note} lang="en">
                {note}
              </li>
            ))}
          </ul>
        </details>
      )}
      <p class="card-actions">
        <button
          type="button"
          class={fit.verdict === "wont-fit" ? "button" : "button button-primary"}
          onClick={() => onStart(model)}
        >
          {checkpoint === undefined ? t.storage.download(size) : t.zoo.get(formatSize(t, leftOf(checkpoint)))}
        </button>
        {fit.reasons.includes("no-room") && checkpoint === undefined && (
          <button type="button" class="button" onClick={() => onFromMemory(model)}>
            {t.storage.fromMemoryOnly}
          </button>
        )}
      </p>
    </div>
  );
}

const leftOf = ({ fetchBytes, fetchedBytes }: CheckpointOffer): number => fetchBytes - fetchedBytes;

/** Files on this device are neither downloaded nor have they published hashes. */
function factsOf(t: Texts, { place, fetchedBytes, memoryBytes, verified }: CheckpointOffer): readonly string[] {
  return [
    ...(fetchedBytes > 0 ? [t.zoo.already(formatSize(t, fetchedBytes))] : []),
    t.zoo.convertMemory(formatSize(t, memoryBytes)),
    ...(place.kind === "files" ? [] : [verified ? t.zoo.verified : t.zoo.notVerified]),
  ];
}

/** Rounded to one significant digit, since it is an estimate. */
function roughly(t: Texts, tokensPerSecond: number): string {
  if (tokensPerSecond < 1) return formatNumber(t, tokensPerSecond, 1);
  const scale = 10 ** Math.floor(Math.log10(tokensPerSecond));
  return formatNumber(t, Math.round(tokensPerSecond / scale) * scale);
}
