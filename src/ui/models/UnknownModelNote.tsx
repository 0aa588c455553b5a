// A note for when the page's address asks for a model that is not on this device. It offers to download the model, with its size.
//   data-testid="unknown-model"
import type { JSX } from "preact";
import type { PreviewedModel } from "#chat/models/look-up/look-up.ts";
import { packageAddress } from "#chat/models/look-up/package-address.ts";
import { costOf, repositoriesOf, zooRecord } from "#zoo/zoo.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { fetchedWords } from "./cost-words.ts";
import { LookedUp } from "#ui/models/offer/LookedUp.tsx";
import type { ModelFeatures } from "./model-features.ts";
import { useModelOffer } from "#ui/models/offer/use-model-offer.ts";

interface UnknownModelNoteProps extends Pick<ModelFeatures, "downloads" | "models" | "photoModel" | "storage"> {
  /** An id of the zoo, "owner/name", an address, or a name that nobody knows. */
  readonly wanted: string;
  /** Opens the models view. */
  readonly onModels: () => void;
}

/** Renders nothing while the model is being downloaded. Sends no request before a click. */
export function UnknownModelNote(props: UnknownModelNoteProps): JSX.Element | null {
  const { downloads, models, photoModel, storage, wanted, onModels } = props;
  const t = useTexts();
  const repositories = repositoriesOf(wanted);
  const record = zooRecord(wanted);
  const offer = useModelOffer(downloads.lookUp, downloads.hubHost);
  const start = (model: PreviewedModel): void =>
    downloads.actions.start(record === undefined ? model : { ...model, name: record.name }, "use");
  const take = async (): Promise<void> => {
    const found = await offer.look(wanted);
    // If the size was not known before, the user decides now.
    if (record !== undefined && found?.fit.verdict === "fits" && !downloads.isMetered()) start(found);
  };
  if (downloads.state.value.some(({ id }) => repositories.includes(id))) return null;
  const isFound = typeof offer.state === "object" && !("problem" in offer.state);
  const cost = record && costOf(record, record.sources[0], photoModel.offer.value?.device.precision ?? "cpu");
  const label = cost === undefined ? t.storage.checkSize : t.storage.download(fetchedWords(t, cost));
  return (
    <div class="unknown-model" data-testid="unknown-model">
      <p role="status">{t.unknownModel(record?.name ?? wanted, models.builtIn.name)}</p>
      <p class="card-actions">
        {!isFound && packageAddress(repositories[0] ?? wanted) !== undefined && (
          <button type="button" class="button" disabled={offer.state === "looking"} onClick={() => void take()}>
            {offer.state === "looking" ? t.photos.looking : label}
          </button>
        )}
        <button type="button" class="button" onClick={onModels}>
          {t.storage.open}
        </button>
      </p>
      <LookedUp
        offer={offer}
        downloads={downloads}
        name={record?.name}
        onStart={start}
        onFromMemory={(model) => {
          storage.actions.add(model);
          models.select(model.id);
        }}
      />
    </div>
  );
}
