// The downloads that are under way, in the browser's localStorage: the next visit goes on with them, and other tabs hear of a pause or a
// cancel.
import * as v from "valibot";
import { readLocal, writeLocal, type GetStorage } from "#chat/local-storage.ts";

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

/** Stores whether it is paused; does nothing where it is not stored. */
export function storePaused(storage: GetStorage, id: string, paused: boolean): void {
  const stored = readDownloads(storage).find((download) => download.id === id);
  if (stored !== undefined) storeDownload(storage, id, { ...stored, paused });
}
