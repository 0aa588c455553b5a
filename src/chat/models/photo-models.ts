// Which model for photographs is offered to users of a model that does not know them, and how one click downloads it. Knows no page and no
// network: what asks the hub, downloads and knows the device is handed in.
import { errorCodeOf, type ErrorCode } from "#engine/errors.ts";
import type { DeviceSummary } from "#worker/api.ts";
import { hubModels, type HubModelRecord } from "#zoo/hub-models.ts";
import type { Downloads } from "#chat/downloads/downloads.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import type { StoredModels } from "./storage.ts";

/** "looking": the hub is being asked. "ask": the user should decide, because the model may not fit or its download may cost money. */
type PhotoOfferPhase = "offered" | "looking" | "ask" | "failed";

export interface PhotoOffer {
  readonly record: HubModelRecord;
  readonly precision: DeviceSummary["precision"];
  /** Size of the files for this device; undefined where it is not known. */
  readonly bytes: number | undefined;
  readonly phase: PhotoOfferPhase;
  readonly code?: ErrorCode;
}

interface PhotoModels extends Observable<PhotoOffer | undefined> {
  /** Looks up what this device computes with; after that there is an offer. */
  prepare(): Promise<void>;
  /** Starts the download where the model fits; otherwise the offer's phase says why not. */
  take(): Promise<void>;
}

interface PhotoModelsOptions {
  readonly device: () => Promise<DeviceSummary>;
  readonly preview: StoredModels["preview"];
  readonly start: Downloads["start"];
  /** Whether the connection says that data costs money. */
  readonly metered: () => boolean;
}

/** The best model that a first visitor would wait for. Without a GPU that is the smallest, because it reads a picture fastest. */
export function recommend({ precision }: DeviceSummary): HubModelRecord | undefined {
  return hubModels.find(({ id }) => id === (precision === "gpu-f16" ? "smolvlm-500m" : "smolvlm-256m"));
}

/** No offer yet. */
export function createPhotoModels({ device, preview, start, metered }: PhotoModelsOptions): PhotoModels {
  const cell = createCell<PhotoOffer | undefined>(undefined);
  const change = (changes: Partial<PhotoOffer>): void =>
    cell.update((offer) => (offer === undefined ? undefined : { ...offer, ...changes }));
  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    async prepare() {
      const { precision } = await device();
      const record = recommend({ precision });
      if (record !== undefined) cell.set({ record, precision, bytes: record.bytes[precision], phase: "offered" });
    },
    async take() {
      const offer = cell.get();
      if (offer === undefined || offer.phase === "looking") return;
      change({ phase: "looking" });
      try {
        const found = await preview(offer.record.repository);
        // Where it may cost money or not run, the user decides, who then sees why.
        const unsure = found === undefined || found.fit.verdict === "wont-fit" || metered();
        if (found !== undefined && !unsure) start({ ...found, name: offer.record.name }, "use");
        change({ phase: unsure ? "ask" : "offered" });
      } catch (error) {
        change({ phase: "failed", code: errorCodeOf(error) });
      }
    },
  };
}
