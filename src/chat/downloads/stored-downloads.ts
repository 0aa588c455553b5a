// The downloads that are under way, in the browser's localStorage: the next visit goes on with them, and other tabs hear of a pause or a
// cancel.
import * as v from "valibot";
import { readLocal, writeLocal, type GetStorage } from "#chat/local-storage.ts";
import type { WantedModel } from "./wanted.ts";

const bits = v.picklist([4, 8]);

/** Dropped files are not stored: they have to be dropped again. */
const Checkpoint = v.object({
  place: v.variant("kind", [
    v.object({
      kind: v.literal("hub"),
      hub: v.string(),
      repository: v.string(),
      revision: v.exactOptional(v.string()),
    }),
    v.object({ kind: v.literal("address"), url: v.string() }),
  ]),
  weights: v.exactOptional(v.array(v.string())),
  tower: v.exactOptional(v.string()),
  bits: v.exactOptional(v.object({ vision: bits, embed: bits, decoder: bits })),
  license: v.exactOptional(v.string()),
});

const StoredDownloads = v.object({
  version: v.literal(1),
  downloads: v.array(
    v.object({
      id: v.string(),
      name: v.string(),
      baseUrl: v.string(),
      architecture: v.optional(v.picklist(["llava", "llava-adapter", "transformers.js"]), "llava"),
      bytes: v.number(),
      paused: v.boolean(),
      repair: v.boolean(),
      checkpoint: v.exactOptional(Checkpoint),
    }),
  ),
});
type StoredDownload = v.InferOutput<typeof StoredDownloads>["downloads"][number];

/** The key in localStorage. */
export const downloadsKey = "llava-web-downloads";

/** None where the browser stores nothing: then a download lasts as long as its page. */
export function readDownloads(storage: GetStorage): readonly StoredDownload[] {
  return readLocal(storage, downloadsKey, StoredDownloads)?.downloads ?? [];
}

/** Stores the download under its id, or forgets it where it is undefined. */
export function storeDownload(storage: GetStorage, id: string, download: StoredDownload | undefined): void {
  const others = readDownloads(storage).filter((other) => other.id !== id);
  const downloads = [...others, ...(download === undefined ? [] : [download])];
  writeLocal(storage, downloadsKey, JSON.stringify({ version: 1, downloads }));
}

/** What the next visit can go on with; undefined of dropped files. */
export function toStored(model: WantedModel, repair: boolean): StoredDownload | undefined {
  const { id, name, baseUrl, architecture, bytes, checkpoint } = model;
  const stored = { id, name, baseUrl, architecture, bytes, paused: false, repair };
  if (checkpoint === undefined) return stored;
  const { place, weights, tower, license } = checkpoint;
  if (place.kind === "files") return undefined;
  return {
    ...stored,
    checkpoint: {
      place: place.kind === "hub" ? { kind: "hub", hub: place.hub, repository: place.repository } : place,
      ...(weights === undefined ? {} : { weights: [...weights] }),
      ...(tower === undefined ? {} : { tower }),
      ...(checkpoint.bits === undefined ? {} : { bits: checkpoint.bits }),
      ...(license === undefined ? {} : { license }),
    },
  };
}

/** Stores whether it is paused; does nothing where it is not stored. */
export function storePaused(storage: GetStorage, id: string, paused: boolean): void {
  const stored = readDownloads(storage).find((download) => download.id === id);
  if (stored !== undefined) storeDownload(storage, id, { ...stored, paused });
}
