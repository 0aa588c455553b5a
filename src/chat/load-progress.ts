// How far the loading of a model is, from its events. Pure.
import type { Device } from "#engine/types.ts";
import type { LoadEvent } from "#worker/api.ts";

/** `loaded` and `total` are verified bytes; `total` 0 means not known yet. `part` is set once the device is at work. */
export interface LoadProgress {
  readonly loaded: number;
  readonly total: number;
  /** Bytes that were here before this visit. */
  readonly stored: number;
  readonly part?: "vision" | "embed" | "decoder" | "self-test";
  readonly device?: Device;
}

export const startOfLoad: LoadProgress = { loaded: 0, total: 0, stored: 0 };

/** The progress after one more event. */
export function advanceLoad(progress: LoadProgress, event: LoadEvent): LoadProgress {
  if (event.type === "session") return { ...progress, part: event.part, device: event.device };
  const { loaded, total, stored } = event;
  return { ...progress, loaded, total, stored };
}
