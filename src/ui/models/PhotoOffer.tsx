// Offers a model for photographs beside a model that does not know them well: what it is, its size, and one button.
//   data-testid="photo-offer" with data-phase: offered | looking | ask | failed | here
import type { JSX } from "preact";
import type { PhotoOffer as Offer } from "#chat/models/photo-models.ts";
import { IconButton } from "#ui/parts/IconButton.tsx";
import { CloseIcon } from "#ui/parts/icons.tsx";
import { focusQuestion } from "#ui/parts/use-modal.ts";
import { useTexts, type Texts } from "#ui/texts/texts.ts";
import { fetchedWords } from "./cost-words.ts";
import type { ModelFeatures } from "./model-features.ts";

interface PhotoOfferProps {
  readonly offer: Offer;
  readonly title: string;
  /** The host that it would be downloaded from. */
  readonly host: string;
  /** Whether it is on this device already. */
  readonly here: boolean;
  /** Leaves out what a small place has no room for. */
  readonly short: boolean;
  readonly onTake: () => void;
  readonly onUse: () => void;
  /** Opens the list of all models. */
  readonly onMore: () => void;
  /** Absent where it can't be dismissed. */
  readonly onDismiss?: (() => void) | undefined;
}

function PhotoOffer(props: PhotoOfferProps): JSX.Element {
  const t = useTexts();
  const { offer, title, host, here, short, onTake, onUse, onMore, onDismiss } = props;
  const { record, cost, phase, code } = offer;
  const { name, license, researchOnly, notYetRun } = record;
  const facts = [
    t.photos.facts(fetchedWords(t, cost), license),
    ...(researchOnly ? [t.photos.researchOnly] : []),
    ...(notYetRun ? [t.photos.notYetRun] : []),
  ].join(" · ");
  return (
    <aside
      class={`photo-offer${short ? " photo-offer-short" : ""}${onDismiss ? " photo-offer-dismissable" : ""}`}
      data-testid="photo-offer"
      data-phase={here ? "here" : phase}
      aria-label={title}
    >
      <p>
        <strong>{title}</strong>
        {!here && <small>{short ? `${facts} · ${host}` : facts}</small>}
        {!here && !short && <small>{t.photos.from(host)}</small>}
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
      {onDismiss !== undefined && (
        <IconButton label={t.photos.notAgain} kind="photo-offer-dismiss" small onClick={onDismiss}>
          <CloseIcon />
        </IconButton>
      )}
    </aside>
  );
}

interface BuiltInsPhotoOfferProps extends Pick<ModelFeatures, "downloads" | "models" | "photoModel"> {
  /** In place of the title of the welcome; gets the name of the offered model. */
  readonly title?: (name: string) => string;
  readonly short?: boolean;
  /** Opens the list of all models. */
  readonly onMore: () => void;
  readonly onDismiss?: () => void;
}

/** Shown beside the built-in model. Renders nothing if this device can run no other model, and while one is being downloaded. */
export function BuiltInsPhotoOffer(props: BuiltInsPhotoOfferProps): JSX.Element | null {
  const t = useTexts();
  const { downloads, models, photoModel, title = t.photos.offer, short = false, onMore, onDismiss } = props;
  const offer = photoModel.offer.value;
  if (offer === undefined) return null;
  const { id, record } = offer;
  if (downloads.state.value.some((download) => download.id === id)) return null;
  return (
    <PhotoOffer
      offer={offer}
      title={title(record.name)}
      host={downloads.hubHost}
      here={models.state.value.choices.some((choice) => choice.id === id)}
      short={short}
      onTake={photoModel.take}
      onUse={() => models.select(id)}
      onMore={onMore}
      onDismiss={onDismiss}
    />
  );
}

/** Which of the pictures that are to be sent look like photographs: the only one, all of several, some of them, none. */
export type PhotographsGiven = keyof Texts["photos"]["beside"] | "none";

interface DraftPhotoOfferProps extends Omit<BuiltInsPhotoOfferProps, "title" | "short" | "onDismiss"> {
  readonly photographs: PhotographsGiven | undefined;
  readonly onDismiss: () => void;
}

/** Shown beside the pictures that go with the next question, as soon as the vision encoder has looked at them. Its place is kept. */
export function DraftPhotoOffer({ photographs, onDismiss, ...props }: DraftPhotoOfferProps): JSX.Element | null {
  const t = useTexts();
  const name = props.photoModel.offer.value?.record.name;
  if (photographs === undefined || name === undefined) return null;
  const title = photographs === "none" ? undefined : t.photos.beside[photographs];
  return (
    <div class={`draft-photo-offer${title ? " draft-photo-offer-told" : ""}`}>
      {/* A live region has to be there before it has something to say. */}
      <p class="visually-hidden" role="status">
        {title?.(name)}
      </p>
      {title !== undefined && (
        <BuiltInsPhotoOffer
          {...props}
          short
          title={title}
          onDismiss={() => {
            onDismiss();
            focusQuestion();
          }}
        />
      )}
    </div>
  );
}
