// Which model for photographs is offered to users of a model that does not know them, and how one click brings it here. Knows no page and no
// network: what asks the hub, downloads and knows the device is handed in.
import { errorCodeOf, type ErrorCode } from "#engine/errors.ts";
import type { DeviceSummary } from "#worker/api.ts";
import { bestModelFor } from "#zoo/best-model.ts";
import type { ZooRecord } from "#zoo/record.ts";
import { costOf, type Cost } from "#zoo/zoo.ts";
import type { Downloads } from "#chat/downloads/downloads.ts";
import { createCell, type Observable } from "#chat/observable.ts";
import type { LookUp } from "#chat/models/look-up/look-up.ts";

/**
 * "looking": the hub is being asked. "ask": the user should decide, because the model may not fit, its download may cost money, or the hub
 * wants a token.
 */
type PhotoOfferPhase = "offered" | "looking" | "ask" | "failed";

export interface PhotoOffer {
  readonly record: ZooRecord;
  /** Under which it is stored once it is here. */
  readonly id: string;
  readonly device: DeviceSummary;
  /** What it costs on this device. */
  readonly cost: Cost;
  readonly phase: PhotoOfferPhase;
  readonly code?: ErrorCode;
}

interface PhotoModels extends Observable<PhotoOffer | undefined> {
  /** Looks up what this device is; after that there is an offer. */
  prepare(): Promise<void>;
  /** Starts the download where the model fits; otherwise the offer's phase says why not. */
  take(): Promise<void>;
}

interface PhotoModelsOptions {
  readonly device: () => Promise<DeviceSummary>;
  readonly lookUp: LookUp;
  readonly start: Downloads["start"];
  /** Whether the connection says that data costs money. */
  readonly metered: () => boolean;
}

/** No offer yet. */
export function createPhotoModels({ device, lookUp, start, metered }: PhotoModelsOptions): PhotoModels {
  const cell = createCell<PhotoOffer | undefined>(undefined);
  const change = (changes: Partial<PhotoOffer>): void =>
    cell.update((offer) => (offer === undefined ? undefined : { ...offer, ...changes }));
  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    async prepare() {
      const known = await device();
      const record = bestModelFor(known);
      const [source] = record.sources;
      const cost = costOf(record, source, known.precision);
      cell.set({ record, id: source.repository, device: known, cost, phase: "offered" });
    },
    async take() {
      const offer = cell.get();
      if (offer === undefined || offer.phase === "looking") return;
      change({ phase: "looking" });
      try {
        const { record } = offer;
        const found = await lookUp({ record, source: record.sources[0] });
        // Where the download is metered or the model may not run, the user decides in the dialog, which says why.
        const offered = found !== undefined && "fit" in found ? found : undefined;
        const sure = offered !== undefined && offered.fit.verdict !== "wont-fit" && !metered();
        if (sure) start({ ...offered, name: record.name }, "use");
        change({ phase: sure ? "offered" : "ask" });
      } catch (error) {
        change({ phase: "failed", code: errorCodeOf(error) });
      }
    },
  };
}
