// Which model for photographs is offered beside one that does not know them, and how one click gets it. Knows no page; the look at the
// hub, the download and the device's facts are handed in.
import { errorCodeOf, type ErrorCode } from "#engine/errors.ts";
import type { DeviceSummary } from "#worker/api.ts";
import { hubModels, type HubModelRecord } from "#zoo/hub-models.ts";
import type { Downloads } from "./downloads.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import type { StoredModels } from "./storage.ts";

/** "looking": the hub is being asked. "ask": a person should decide, because it may not fit or costs money. */
export type PhotoOfferPhase = "offered" | "looking" | "ask" | "failed";

export interface PhotoOffer {
  readonly record: HubModelRecord;
  readonly precision: DeviceSummary["precision"];
  /** Of this device's files; undefined where they have not been looked up. */
  readonly bytes: number | undefined;
  readonly phase: PhotoOfferPhase;
  readonly code?: ErrorCode;
}

export interface PhotoModels extends Observable<PhotoOffer | undefined> {
  /** Looks up what this device computes with; the offer is there after it. */
  prepare(): Promise<void>;
  /** Starts the download where the model fits; else the offer's phase tells why not. */
  take(): Promise<void>;
}

export interface PhotoModelsOptions {
  readonly device: () => Promise<DeviceSummary>;
  readonly preview: StoredModels["preview"];
  readonly start: Downloads["start"];
  /** Whether the connection says that data costs money. */
  readonly metered: () => boolean;
}

/** The best of those that a first visitor would wait for: without a graphics device the smallest, for it reads a picture fastest. */
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
        // What costs money, or may not run, is for a person to decide, who then sees why.
        const unsure = found === undefined || found.fit.verdict === "wont-fit" || metered();
        if (found !== undefined && !unsure) start({ ...found, name: offer.record.name }, "use");
        change({ phase: unsure ? "ask" : "offered" });
      } catch (error) {
        change({ phase: "failed", code: errorCodeOf(error) });
      }
    },
  };
}
