// Offers a model for photographs beside a model that does not know them: what it is, its size, and one button.
//   data-testid="photo-offer" with data-phase: offered | looking | ask | failed | here
import type { JSX } from "preact";
import type { PhotoOffer as Offer } from "#chat/models/photo-models.ts";
import { formatSize } from "#ui/parts/format.ts";
import { useTexts } from "#ui/texts/texts.ts";
import type { ModelFeatures } from "./model-features.ts";

interface PhotoOfferProps {
  readonly offer: Offer;
  /** The host that it would be downloaded from. */
  readonly host: string;
  /** Whether it is on this device already. */
  readonly here: boolean;
  readonly onTake: () => void;
  readonly onUse: () => void;
  /** Opens the list of all models. */
  readonly onMore: () => void;
}

function PhotoOffer({ offer, host, here, onTake, onUse, onMore }: PhotoOfferProps): JSX.Element {
  const t = useTexts();
  const { record, bytes, phase, code } = offer;
  const { name, license, researchOnly, notYetRun } = record;
  const facts = [
    t.photos.facts(bytes === undefined ? "" : formatSize(t, bytes), license),
    ...(researchOnly ? [t.photos.researchOnly] : []),
    ...(notYetRun ? [t.photos.notYetRun] : []),
  ];
  return (
    <aside
      class="photo-offer"
      data-testid="photo-offer"
      data-phase={here ? "here" : phase}
      aria-label={t.photos.offer(name)}
    >
      <p>
        <strong>{t.photos.offer(name)}</strong>
        {!here && (
          <small>
            {facts.join(" · ")}. {t.photos.from(host)}
          </small>
        )}
        {!here && phase === "ask" && <small role="status">{t.photos.ask}</small>}
        {!here && phase === "failed" && (
          <small class="photo-offer-problem" role="alert">
            {code === "network" ? t.photos.unreachable(host) : t.errors[code ?? "internal"]}
          </small>
        )}
      </p>
      <p class="photo-offer-actions">
        {here ? (
          <button type="button" class="button button-primary" onClick={onUse}>
            {t.photos.use(name)}
          </button>
        ) : (
          <button
            type="button"
            class="button button-primary"
            disabled={phase === "looking"}
            onClick={phase === "ask" ? onMore : onTake}
          >
            {phase === "looking" ? t.photos.looking : phase === "failed" ? t.tryAgain : t.photos.get(name)}
          </button>
        )}
        <button type="button" class="link-button" onClick={onMore}>
          {t.photos.more}
        </button>
      </p>
    </aside>
  );
}

interface BuiltInsPhotoOfferProps extends Pick<ModelFeatures, "downloads" | "models" | "photoModel"> {
  /** Opens the list of all models. */
  readonly onMore: () => void;
}

/** Shown beside the built-in model. Renders nothing if this device can run no other model, and while one is being downloaded. */
export function BuiltInsPhotoOffer(props: BuiltInsPhotoOfferProps): JSX.Element | null {
  const { downloads, models, photoModel, onMore } = props;
  const offer = photoModel.offer.value;
  if (offer === undefined) return null;
  const { repository } = offer.record;
  if (downloads.state.value.some(({ id }) => id === repository)) return null;
  return (
    <PhotoOffer
      offer={offer}
      host={downloads.hubHost}
      here={models.state.value.choices.some(({ id }) => id === repository)}
      onTake={photoModel.take}
      onUse={() => models.select(repository)}
      onMore={onMore}
    />
  );
}
