// The zoo's models that are not on this device, each with its download size. A click downloads a model that fits. If it may not fit, or
// the connection is metered, its card says so before the download.
//   data-testid="zoo-model"
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { PhotoOffer } from "#chat/models/photo-models.ts";
import type { PreviewedModel } from "#chat/models/storage.ts";
import { hubModels, sizeOn, type HubModelRecord } from "#zoo/hub-models.ts";
import { Section } from "#ui/parts/Dialog.tsx";
import { formatSize } from "#ui/parts/format.ts";
import { ModelCard } from "./ModelCard.tsx";
import type { ModelFeatures } from "./model-features.ts";
import { ModelOffer } from "./ModelOffer.tsx";
import { Note } from "#ui/notes/Note.tsx";
import { useTexts, type Texts } from "#ui/texts/texts.ts";
import { useModelOffer } from "./use-model-offer.ts";

/** The features for looking up a model elsewhere and for downloading it. */
export interface DownloadProps extends Pick<ModelFeatures, "downloads" | "photoModel" | "storage"> {
  readonly onStart: (model: PreviewedModel) => void;
  readonly onFromMemory: (model: PreviewedModel) => void;
}

/** Renders nothing when all of them are on this device. */
export function DownloadableModels(props: DownloadProps): JSX.Element | null {
  const t = useTexts();
  const here = new Set([
    ...(props.storage.state.value.stored ?? []).filter(({ complete }) => complete).map(({ id }) => id),
    ...props.downloads.state.value.map(({ id }) => id),
  ]);
  const missing = hubModels.filter(({ repository }) => !here.has(repository));
  if (missing.length === 0) return null;
  return (
    <Section title={t.photos.listTitle}>
      <p class="dialog-note">{t.photos.from(props.downloads.hubHost)}</p>
      <ul class="model-cards">
        {missing.map((record) => (
          <DownloadableModel key={record.id} {...props} record={record} />
        ))}
      </ul>
    </Section>
  );
}

function DownloadableModel(props: DownloadProps & { readonly record: HubModelRecord }): JSX.Element {
  const { record, downloads, storage, onStart } = props;
  const t = useTexts();
  const nameId = useId();
  const { state, look } = useModelOffer((text) => storage.actions.preview(text), downloads.hubHost);
  const take = async (): Promise<void> => {
    const found = await look(record.repository);
    if (found?.fit.verdict === "fits" && !downloads.isMetered()) onStart({ ...found, name: record.name });
  };
  const looking = state === "looking";
  const found = typeof state === "object" && "model" in state ? state.model : undefined;
  return (
    <ModelCard
      testId="zoo-model"
      name={record.name}
      nameId={nameId}
      facts={[
        record.license,
        ...(record.researchOnly ? [t.photos.researchOnly] : []),
        ...(record.notYetRun ? [t.photos.notYetRun] : []),
      ]}
      actions={
        found === undefined && (
          <div class="card-actions">
            <button
              type="button"
              class="button"
              aria-describedby={nameId}
              disabled={looking}
              onClick={() => void take()}
            >
              {looking
                ? t.photos.looking
                : t.storage.download(sizeLabel(t, record, props.photoModel.offer.value?.precision))}
            </button>
          </div>
        )
      }
    >
      {typeof state === "object" && "problem" in state && (
        <Note state={{ tone: "bad", text: state.problem, retry: () => void take() }} />
      )}
      {found !== undefined && (
        <ModelOffer
          model={{ ...found, name: record.name }}
          named
          metered={downloads.isMetered()}
          onStart={onStart}
          onFromMemory={props.onFromMemory}
        />
      )}
    </ModelCard>
  );
}

/** "264 MB"; "358 MB or more" where only another device's files were looked up. */
export function sizeLabel(t: Texts, record: HubModelRecord, precision: PhotoOffer["precision"] | undefined): string {
  const { bytes, exact } = sizeOn(record, precision);
  return exact ? formatSize(t, bytes) : t.photos.orMore(formatSize(t, bytes));
}
