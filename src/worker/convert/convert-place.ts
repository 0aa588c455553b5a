// Where the checkpoint of a request lies: opened as a folder, and as it is kept for another visit. Knows no conversion.
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { addressFolder } from "#convert/places/address-folder.ts";
import { fileFolder } from "#convert/places/file-folder.ts";
import { GatedError, openHubFolder } from "#convert/places/hub-folder.ts";
import type { PlaceOptions } from "#convert/places/remote-file.ts";
import { HttpError } from "#weights/download/request.ts";
import type { ConversionRequest, GatedPlace } from "./convert-api.ts";

/** A checkpoint that was found, with what its place says of it. */
export interface Found {
  readonly folder: CheckpointFolder;
  readonly id: string;
  readonly license: string;
  readonly commit: string | undefined;
  /** The vision tower's own repository, where the request names one. */
  readonly tower?: CheckpointFolder | undefined;
}

/** What the work gives, or that the place asks for a token. */
export async function orGated<T>(work: () => Promise<T>): Promise<T | GatedPlace> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GatedError) return { kind: "gated", status: error.status, page: error.page };
    if (error instanceof HttpError && (error.status === 401 || error.status === 403))
      return { kind: "gated", status: error.status, page: "" };
    throw error;
  }
}

/** Opens the place of a request; reads a listing at most. */
export async function openPlace(
  { place, token, tower, id, name, license }: ConversionRequest,
  options: PlaceOptions,
): Promise<Found> {
  switch (place.kind) {
    case "hub": {
      const { hub, repository, revision = "main" } = place;
      const opened = await openHubFolder({ host: hub, repository, revision }, token, options);
      const beside = { host: hub, repository: tower ?? "", revision: "main" };
      const vision = tower === undefined ? undefined : await openHubFolder(beside, token, options);
      return { ...opened, id: id ?? repository, license: license ?? opened.license, tower: vision?.folder };
    }
    case "address":
      return {
        folder: addressFolder(place.url, options),
        id: id ?? place.url,
        license: license ?? "unknown",
        commit: undefined,
      };
    case "files":
      return {
        folder: fileFolder(name ?? place.name, place.files),
        id: id ?? place.name,
        license: license ?? "unknown",
        commit: undefined,
      };
  }
}

/** What is kept with a half-made package so that another visit can ask for the same: the place, a branch as the commit that it was then. */
export function placeToKeep({ place, weights, tower, bits }: ConversionRequest, commit: string | undefined): unknown {
  if (place.kind === "files") return undefined;
  return { ...place, ...(place.kind === "hub" ? { revision: commit } : {}), weights, tower, bits };
}
