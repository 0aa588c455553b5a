// The names of exported files and pictures.
import { allPictures } from "#chat/conversation/branches.ts";
import type { Conversation, Picture } from "#chat/conversation/conversation.ts";
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
    const extension = extensions[picture.blob.type] ?? /^image\/([a-z]+)$/.exec(picture.blob.type)?.[1] ?? "png";
    names.set(picture.blob, `${await contentName(picture)}.${extension}`);
  }
  return names;
}

/** On plain HTTP from another machine there is no hashing: then the picture's id names it. */
async function contentName({ id, blob }: Picture): Promise<string> {
  const subtle: SubtleCrypto | undefined = "subtle" in crypto ? crypto.subtle : undefined;
  if (subtle === undefined) return id;
  const digest = new Uint8Array(await subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The pictures as files of a folder. */
export function pictureParts(folder: string, fileOf: ReadonlyMap<Blob, string>): ZipPart[] {
  const byName = new Map([...fileOf].map(([blob, name]) => [name, blob]));
  return [...byName].map(([name, blob]) => ({ path: `${folder}/${name}`, content: blob }));
}
