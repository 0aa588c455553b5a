// What can be brought into the browser's storage, how far it is, and what may come of it. Types only.
import type { ErrorCode } from "#engine/errors.ts";
import type { PackageArchitecture } from "#worker/api.ts";
import type { ConversionEvent, ConversionRequest, GatedPlace } from "#worker/convert/convert-api.ts";

/** A checkpoint that becomes a package here, while it is downloaded. */
export interface WantedCheckpoint {
  readonly place: ConversionRequest["place"];
  readonly weights?: readonly string[] | undefined;
  readonly tower?: string | undefined;
  readonly bits?: ConversionRequest["bits"];
  readonly license?: string | undefined;
}

/** What is to be downloaded; `bytes` is the size of its package, 0 where that is not known yet. */
export interface WantedModel {
  readonly id: string;
  readonly name: string;
  /** "" of a checkpoint. */
  readonly baseUrl: string;
  readonly architecture: PackageArchitecture;
  readonly bytes: number;
  readonly checkpoint?: WantedCheckpoint | undefined;
}

/**
 * "no-room": the browser stores no more. "gated": the hub wants a token, or that its license is accepted. "starting": it is here and becomes
 * the chat's model. "done": it is here and can be chosen.
 */
export type DownloadPhase = "running" | "paused" | "failed" | "no-room" | "gated" | "starting" | "done";

/** How far a checkpoint is. */
export type ConversionProgress = Pick<
  ConversionEvent,
  "stage" | "fetched" | "toFetch" | "converted" | "kept" | "toKeep" | "secondsLeft"
>;

export interface Download extends WantedModel {
  readonly phase: DownloadPhase;
  /** Verified bytes and bytes on their way, of `total`, which is 0 until it is known. Of a checkpoint: of its source. */
  readonly loaded: number;
  readonly total: number;
  readonly bytesPerSecond?: number | undefined;
  /** How often in a row the server sent nothing for a while; undefined while bytes come. */
  readonly silences?: number | undefined;
  readonly conversion?: ConversionProgress | undefined;
  /** Why it failed. */
  readonly code?: ErrorCode | undefined;
  /** What the converter says of a checkpoint that it can't read: a sentence that names the file. */
  readonly message?: string | undefined;
  readonly gated?: Pick<GatedPlace, "status" | "page"> | undefined;
  /** Mends a model that was here before. */
  readonly repair?: true;
}
