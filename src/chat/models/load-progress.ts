// The progress of loading a model, made from its events. Pure.
import type { Device } from "#engine/types.ts";
import type { LoadEvent } from "#worker/api.ts";

/** `loaded` and `total` are verified bytes; a `total` of 0 is not known yet. `part` is what the device is preparing, once it does. */
export interface LoadProgress {
  readonly loaded: number;
  readonly total: number;
  /** Bytes that were here before this visit. */
  readonly stored: number;
  /** How often in a row the server sent nothing for a while; absent while bytes come. */
  readonly silences?: number;
  readonly part?: "vision" | "embed" | "decoder" | "self-test";
  readonly device?: Device;
}

/** After so many silences of a server in a row the page says so. */
export const silencesToTell = 3;

export const startOfLoad: LoadProgress = { loaded: 0, total: 0, stored: 0 };

/** The progress after one more event. */
export function advanceLoad(progress: LoadProgress, event: LoadEvent): LoadProgress {
  if (event.type === "session") {
    const { loaded, total, stored } = progress;
    return { loaded, total, stored, part: event.part, device: event.device };
  }
  const { part, device } = progress;
  const { loaded, total, stored, silences } = event;
  return {
    ...(part && { part }),
    ...(device && { device }),
    loaded,
    total,
    stored,
    ...(silences === undefined ? {} : { silences }),
  };
}
