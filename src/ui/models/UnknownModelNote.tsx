// A note for when the page's address asks for a model that is not on this device. It offers to download the model, with its size.
//   data-testid="unknown-model"
import type { JSX } from "preact";
import { packageAddress } from "#chat/models/package-address.ts";
import type { PreviewedModel } from "#chat/models/storage.ts";
import { hubModels } from "#zoo/hub-models.ts";
import { repositoryOf } from "#zoo/zoo.ts";
import { sizeLabel } from "./DownloadableModels.tsx";
import type { ModelFeatures } from "./model-features.ts";
import { ModelOffer } from "./ModelOffer.tsx";
import { Note } from "#ui/notes/Note.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { useModelOffer } from "./use-model-offer.ts";

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
  const repository = repositoryOf(wanted);
  const record = hubModels.find((known) => known.repository === repository);
  const { state, look } = useModelOffer((typed) => storage.actions.preview(typed), downloads.hubHost);
  const start = (model: PreviewedModel): void => downloads.actions.start(named(model), "use");
  const named = (model: PreviewedModel): PreviewedModel =>
    record === undefined ? model : { ...model, name: record.name };
  const take = async (): Promise<void> => {
    const found = await look(repository);
    // If the size was not known before, the user decides now.
    if (record !== undefined && found?.fit.verdict === "fits" && !downloads.isMetered()) start(found);
  };
  if (downloads.state.value.some(({ id }) => id === repository)) return null;
  const found = typeof state === "object" && "model" in state ? state.model : undefined;
  const label =
    record === undefined
      ? t.storage.checkSize
      : t.storage.download(sizeLabel(t, record, photoModel.offer.value?.precision));
  return (
    <div class="unknown-model" data-testid="unknown-model">
      <p role="status">{t.unknownModel(record?.name ?? wanted, models.builtIn.name)}</p>
      <p class="card-actions">
        {found === undefined && packageAddress(repository) !== undefined && (
          <button type="button" class="button" disabled={state === "looking"} onClick={() => void take()}>
            {state === "looking" ? t.photos.looking : label}
          </button>
        )}
        <button type="button" class="button" onClick={onModels}>
          {t.storage.open}
        </button>
      </p>
      {typeof state === "object" && "problem" in state && (
        <Note state={{ tone: "bad", text: state.problem, retry: () => void take() }} />
      )}
      {found !== undefined && (
        <ModelOffer
          model={named(found)}
          metered={downloads.isMetered()}
          onStart={start}
          onFromMemory={(model) => {
            storage.actions.add(model);
            models.select(model.id);
          }}
        />
      )}
    </div>
  );
}
