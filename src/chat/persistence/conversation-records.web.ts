// What is done to conversations inside a transaction: write, read, remove, restore, purge, and repeat what an earlier page could not
// finish. Every save compares revisions within its transaction, so that two tabs never overwrite each other.
import { promisifyRequest } from "idb-keyval";
import * as v from "valibot";
import { allPictures, mapTurns } from "#chat/conversation/branches.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import type { AssistantTurn, Conversation, Picture, Turn } from "#chat/conversation/conversation.ts";
import { newId } from "#chat/new-id.ts";
import {
  allKeys,
  conversationKey,
  getAllReadable,
  getReadable,
  idInKey,
  pictureKey,
  readable,
  removedKey,
} from "./database.web.ts";
import { newChatDraft } from "./drafts.ts";
import { keyOf, putPictures, withPictures, type PictureRecords } from "./picture-records.web.ts";
import type { JournaledSave } from "./redo-journal.web.ts";
import {
  fromStored,
  parseStored,
  pictureKeys,
  toStored,
  withKeysOf,
  type StoredConversation,
} from "./stored-conversation.ts";

/** A removed conversation can be restored for so long. */
const undoMs = 60_000;
const Removed = v.object({ removedAt: v.number(), value: v.unknown() });

const getStored = async (objects: IDBObjectStore, id: string): Promise<StoredConversation | undefined> =>
  parseStored(await getReadable(objects, conversationKey(id)));

const toRecord = (pictures: PictureRecords, conversation: Conversation, revision: string, now: number) =>
  toStored(conversation, revision, now, (picture) => keyOf(pictures, picture));

/** Version 1 stored one conversation only, under a key of its own. */
export async function migrateLayout(objects: IDBObjectStore): Promise<void> {
  const stored = parseStored(await promisifyRequest<unknown>(objects.get("current")));
  if (stored === undefined) return;
  objects.delete("current");
  if (stored.turns.length === 0) return;
  objects.put({ ...stored, updatedAt: Date.now() }, conversationKey(stored.id));
  objects.put(stored.id, "last");
}

/** All conversations without their pictures' bytes. */
export async function readAll(objects: IDBObjectStore): Promise<Conversation[]> {
  const all = await getAllReadable(objects, "conversation");
  return all.flatMap(([key, value]) => {
    const stored = parseStored(value);
    return stored === undefined ? [] : [withoutBytes({ ...stored, id: idInKey(key, "conversation") })];
  });
}

/** A conversation with its pictures and the revision it has. */
export async function read(
  objects: IDBObjectStore,
  pictures: PictureRecords,
  id: string,
): Promise<{ readonly conversation: Conversation; readonly revision: string } | undefined> {
  const stored = await getStored(objects, id);
  if (stored === undefined) return undefined;
  return { conversation: await withPictures(pictures, objects, { ...stored, id }), revision: stored.revision };
}

/** What is to be written, given what is there; undefined for nothing. */
export type Combine = (
  there: StoredConversation | undefined,
  objects: IDBObjectStore,
) => Promise<Conversation | undefined>;

/** Writes the conversation with its new pictures, which are noted in `put`; without `put` its text alone. */
export async function write(
  objects: IDBObjectStore,
  pictures: PictureRecords,
  { id, revision, combine }: { readonly id: string; readonly revision: string; readonly combine: Combine },
  put: Map<string, Picture> | undefined,
): Promise<Conversation | undefined> {
  const both = await combine(await getStored(objects, id), objects);
  if (both === undefined) return undefined;
  if (put !== undefined) await putPictures(pictures, objects, allPictures(both), put);
  await promisifyRequest(objects.put(toRecord(pictures, both, revision, Date.now()), conversationKey(id)));
  return both;
}

export async function remove(objects: IDBObjectStore, id: string): Promise<void> {
  const value = await getReadable(objects, conversationKey(id));
  if (value !== undefined) objects.put({ removedAt: Date.now(), value }, removedKey(id));
  await promisifyRequest(objects.delete(conversationKey(id)));
}

/** Brings a removed conversation back, joined with what has been saved under its id since. */
export async function restore(objects: IDBObjectStore, pictures: PictureRecords, id: string): Promise<void> {
  const removed = v.safeParse(Removed, await getReadable(objects, removedKey(id)));
  const there = await getStored(objects, id);
  const back = removed.success ? parseStored(removed.output.value) : undefined;
  if (removed.success && there === undefined) objects.put(removed.output.value, conversationKey(id));
  else if (there !== undefined && back !== undefined) {
    const both = joinConversations(
      await withPictures(pictures, objects, there),
      await withPictures(pictures, objects, back),
    );
    objects.put(toRecord(pictures, both, newId(), there.updatedAt), conversationKey(id));
  }
  await promisifyRequest(objects.delete(removedKey(id)));
}

/** Repeats a save that an earlier page could not finish: over what that page knew, joined with what it did not. */
export async function redoSave(
  objects: IDBObjectStore,
  pictures: PictureRecords,
  { before, own, value }: JournaledSave,
): Promise<void> {
  const parsed = parseStored(value);
  if (parsed === undefined) return;
  const there = parseStored(await promisifyRequest<unknown>(objects.get(conversationKey(parsed.id))));
  // The save got there after all.
  if (there?.revision === parsed.revision) return;
  // What had been stored and is gone was deleted since.
  if (there === undefined && before !== undefined) return;
  // A picture that got there with an earlier save may have been journaled before its key was known.
  const saved = there === undefined ? parsed : withKeysOf(there, parsed);
  const whole = await withPictures(pictures, objects, saved);
  const lacksPictures = allPictures(withoutBytes(saved)).length > allPictures(whole).length;
  // A question whose picture was lost must not be answered.
  const ours = lacksPictures
    ? mapTurns(whole, (turn) => (isQueued(turn) ? { ...turn, status: "stopped" } : turn))
    : whole;
  const isKnown = there === undefined || there.revision === before || own.includes(there.revision);
  const both = isKnown ? ours : joinConversations(ours, await withPictures(pictures, objects, there));
  const revision = isKnown ? saved.revision : newId();
  objects.put(toRecord(pictures, both, revision, saved.updatedAt), conversationKey(saved.id));
}

/** Deletes removed conversations that can't be restored any more, and pictures and drafts that belong to nothing. */
export async function purge(objects: IDBObjectStore): Promise<void> {
  const shown = new Set<string>();
  const isParsed = (value: unknown): boolean => {
    const stored = parseStored(value);
    for (const key of stored === undefined ? [] : pictureKeys(stored)) shown.add(pictureKey(key));
    return stored !== undefined;
  };
  const keys = await promisifyRequest(objects.getAllKeys(allKeys("conversation")));
  let isAllParsed = true;
  for (const key of keys) isAllParsed = isParsed(await readable<unknown>(objects.get(key))) && isAllParsed;
  for (const key of await promisifyRequest(objects.getAllKeys(allKeys("removed")))) {
    const removed = v.safeParse(Removed, await readable<unknown>(objects.get(key)));
    if (removed.success && Date.now() - removed.output.removedAt < undoMs)
      isAllParsed = isParsed(removed.output.value) && isAllParsed;
    else objects.delete(key);
  }
  const ids = new Set(keys.map((key) => idInKey(key, "conversation")));
  for (const key of await promisifyRequest(objects.getAllKeys(allKeys("draft")))) {
    const id = idInKey(key, "draft");
    if (id !== newChatDraft && !ids.has(id)) objects.delete(key);
  }
  // A conversation that a later version of the app has stored may show any of the pictures.
  if (!isAllParsed) return;
  for (const key of await promisifyRequest(objects.getAllKeys(allKeys("picture")))) {
    if (typeof key === "string" && !shown.has(key)) objects.delete(key);
  }
}

const isQueued = (turn: Turn): turn is AssistantTurn => turn.role === "assistant" && turn.status === "queued";

const nothing = new Blob();
/** The conversation with an empty Blob for every picture. */
const withoutBytes = (stored: StoredConversation): Conversation =>
  fromStored(stored, new Map(pictureKeys(stored).map((key) => [key, nothing])));
