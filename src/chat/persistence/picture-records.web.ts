// Pictures' bytes in the database, each content once: a picture's key is its hash. Those that find no room are remembered, so that a
// conversation is stored without them. Where the browser refuses Blobs, bytes are stored in their place.
import { promisifyRequest } from "idb-keyval";
import { contentHash } from "#chat/content-hash.ts";
import { allPictures } from "#chat/conversation/branches.ts";
import type { Conversation, Picture } from "#chat/conversation/conversation.ts";
import { fromStoredBlob, toBlobBytes } from "#weights/store/blob-values.ts";
import { getReadable, pictureKey, type Transact } from "./database.web.ts";
import { fromStored, pictureKeys, type StoredConversation } from "./stored-conversation.ts";

/** A picture that found no room is tried again after this time, because room may have been made. */
const tryAgainMs = 300_000;

/** What a tab knows of pictures' bytes. */
export interface PictureRecords {
  readonly keys: WeakMap<Blob, string>;
  /** Pictures that are known to be stored. */
  readonly stored: WeakSet<Blob>;
  /** Keys of pictures that found no room, and when that was. */
  readonly noRoom: Map<string, number>;
  /** False once the browser has refused a Blob. */
  takesBlobs: boolean;
  /** What is written instead of refused Blobs. */
  readonly bytes: WeakMap<Blob, unknown>;
}

export function createPictureRecords(): PictureRecords {
  return { keys: new WeakMap(), stored: new WeakSet(), noRoom: new Map(), takesBlobs: true, bytes: new WeakMap() };
}

/** The key of the picture's bytes; its id where no hash has been computed. */
export function keyOf({ keys }: PictureRecords, { blob, id }: Picture): string {
  return keys.get(blob) ?? id;
}

/** Does what takes time before a transaction begins, because a transaction that waits for anything else ends. */
export async function preparePictures(records: PictureRecords, pictures: readonly Picture[]): Promise<void> {
  const { noRoom, stored, takesBlobs, bytes } = records;
  await Promise.all(pictures.map((picture) => computeKey(records, picture)));
  for (const [key, since] of noRoom) if (Date.now() - since > tryAgainMs) noRoom.delete(key);
  if (!takesBlobs) for (const { blob } of pictures) if (!stored.has(blob)) bytes.set(blob, await toBlobBytes(blob));
  if (pictures.some((picture) => !noRoom.has(keyOf(records, picture)) && !stored.has(picture.blob)))
    await updateQuota();
}

/** Puts those pictures that are neither there nor without room; gives them by their keys. */
export async function putPictures(
  records: PictureRecords,
  objects: IDBObjectStore,
  pictures: readonly Picture[],
  put: Map<string, Picture>,
): Promise<void> {
  for (const picture of pictures) {
    const key = keyOf(records, picture);
    // Another tab may have stored it already, as a Blob or as bytes.
    const isThere = (await promisifyRequest(objects.getKey(pictureKey(key)))) !== undefined;
    if (isThere || records.noRoom.has(key)) continue;
    put.set(key, picture);
    objects.put(valueOf(records, picture), pictureKey(key));
  }
}

/** After a transaction with all of them failed: puts one after the other, smallest first, until one finds no room. */
export async function putPicturesThatFit(
  records: PictureRecords,
  transact: Transact,
  pictures: readonly Picture[],
): Promise<void> {
  const sorted = [...pictures].sort((a, b) => a.blob.size - b.blob.size);
  for (const [index, picture] of sorted.entries()) {
    // The largest one is known not to fit beside the others.
    const isLast = index === sorted.length - 1;
    if (!isLast && (await putPicture(records, transact, picture))) continue;
    for (const rest of sorted.slice(index)) records.noRoom.set(keyOf(records, rest), Date.now());
    return;
  }
}

async function putPicture(records: PictureRecords, transact: Transact, picture: Picture): Promise<boolean> {
  await updateQuota();
  try {
    const key = pictureKey(keyOf(records, picture));
    await transact("readwrite", (objects) => promisifyRequest(objects.put(valueOf(records, picture), key)));
    return true;
  } catch {
    return false;
  }
}

/** Notes which pictures of a stored conversation are stored; gives how many are not. */
export function countMissing(records: PictureRecords, conversation: Conversation): number {
  const missing = new Set<string>();
  for (const picture of allPictures(conversation)) {
    const key = keyOf(records, picture);
    if (records.noRoom.has(key)) missing.add(key);
    else records.stored.add(picture.blob);
  }
  return missing.size;
}

/** The conversation with its pictures; without those that can't be read. */
export async function withPictures(
  { keys }: PictureRecords,
  objects: IDBObjectStore,
  stored: StoredConversation,
): Promise<Conversation> {
  const blobs = new Map<string, Blob>();
  for (const key of pictureKeys(stored)) {
    const blob = fromStoredBlob(await getReadable(objects, pictureKey(key)));
    if (blob === undefined) continue;
    blobs.set(key, blob);
    keys.set(blob, key);
  }
  return fromStored(stored, blobs);
}

async function computeKey({ keys }: PictureRecords, { blob, id }: Picture): Promise<void> {
  if (keys.has(blob)) return;
  // Without a hash a picture is stored once per time it was given.
  keys.set(blob, (await contentHash(blob)) ?? id);
}

const valueOf = ({ takesBlobs, bytes }: PictureRecords, { blob }: Picture): unknown =>
  takesBlobs ? blob : (bytes.get(blob) ?? blob);

/**
 * Makes Chromium compute anew how much storage is used. With an outdated figure it begins to write a picture that has no room, and the
 * half of it goes on filling the storage, so that no text finds room after it (measured in Chromium 156).
 */
async function updateQuota(): Promise<void> {
  const storage: StorageManager | undefined = "storage" in navigator ? navigator.storage : undefined;
  await storage?.estimate().catch(() => undefined);
}
