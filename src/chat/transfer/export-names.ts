// The names of exported files and pictures.
import { contentHash } from "#chat/content-hash.ts";
import { allPictures } from "#chat/conversation/branches.ts";
import type { Conversation } from "#chat/conversation/conversation.ts";
import type { ZipPart } from "./export-zip.ts";

/** A name that every file system takes; "" where nothing of the title can be in one. */
export function fileStem(title: string): string {
  const words = title.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-");
  return words
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/, "")
    .toLowerCase();
}

const extensions: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "image/x-icon": "ico",
};

/** A file name for each picture, the same for the same bytes. */
export async function nameFiles(conversations: readonly Conversation[]): Promise<Map<Blob, string>> {
  const names = new Map<Blob, string>();
  for (const picture of conversations.flatMap(allPictures)) {
    if (names.has(picture.blob)) continue;
    // The first half of the hash is enough to tell files apart.
    const stem = (await contentHash(picture.blob))?.slice(0, 32) ?? picture.id;
    const extension = extensions[picture.blob.type] ?? /^image\/([a-z]+)$/.exec(picture.blob.type)?.[1] ?? "png";
    names.set(picture.blob, `${stem}.${extension}`);
  }
  return names;
}

/** The pictures as files of a folder. */
export function pictureParts(folder: string, fileOf: ReadonlyMap<Blob, string>): ZipPart[] {
  const byName = new Map([...fileOf].map(([blob, name]) => [name, blob]));
  return [...byName].map(([name, blob]) => ({ path: `${folder}/${name}`, content: blob }));
}
