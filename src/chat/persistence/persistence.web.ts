// Conversations in IndexedDB, in a database of their own. A picture is written once per content: its key is its hash. Every save
// compares revisions inside its transaction, so that two tabs never overwrite each other. Where a picture finds no room, its
// conversation is kept without it.
//   conversation:<id>  the conversation       removed:<id>  one that can still be brought back
//   draft:<id>         pictures not sent yet (drafts.web.ts)
//   picture:<key>      a picture's bytes       last          id of the conversation shown last
//   current            version 1: the only conversation
// What had not ended when a page went is done by the next one (unfinished.web.ts).
import { createStore, promisifyRequest, type UseStore } from "idb-keyval";
import * as v from "valibot";
import { fromStoredBlob, isBlobRefused, toBlobBytes } from "#weights/store/blob-values.ts";
import { mapTurns } from "#chat/conversation/branches.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import type { AssistantTurn, Conversation, Picture, Turn } from "#chat/conversation/conversation.ts";
import { newChatDraft } from "./drafts.ts";
import { newId } from "#chat/new-id.ts";
import {
  fromStored,
  inListOrder,
  parseStored,
  pictureKeys,
  picturesOf,
  summarize,
  toStored,
  withKeysOf,
  type ChatPersistence,
  type Kept,
  type StoredConversation,
} from "./persistence.ts";
import { createNotes, toNotes, type NotedSave, type Pending, type PendingSave } from "./unfinished.web.ts";

const conversationKey = (id: string): string => `conversation:${id}`;
const removedKey = (id: string): string => `removed:${id}`;
const pictureKey = (key: string): string => `picture:${key}`;
/** ";" comes right after ":" */
const allKeys = (kind: string): IDBKeyRange => IDBKeyRange.bound(`${kind}:`, `${kind};`, false, true);
const undoMs = 60_000;
/** Room may have been made meanwhile. */
const tryAgainMs = 300_000;

const Removed = v.object({ removedAt: v.number(), value: v.unknown() });

export interface WebPersistence extends ChatPersistence {
  /** The first picture of a conversation, to be shown small; undefined when it has none. */
  firstPicture(id: string): Promise<Blob | undefined>;
}

/** Opens the database at the first call; other tabs are told of changes on a channel of the same name. */
export function createWebPersistence(databaseName = "llava-web-chat"): WebPersistence {
  let store: UseStore | undefined;
  let takesBlobs = true;
  /** Resolves when the transaction has ended well: before that, nothing is kept. */
  const open: UseStore = (mode, use) =>
    (store ??= createStore(databaseName, "kv"))(mode, async (objects) => {
      const done = promisifyRequest(objects.transaction);
      // Whoever throws below rejects first; the abort that follows is no second news.
      done.catch(() => undefined);
      try {
        const result = await use(objects);
        await done;
        return result;
      } catch (error) {
        // Why a transaction was undone says more than that a request in it was.
        const cause = objects.transaction.error;
        abort(objects.transaction);
        throw cause ?? error;
      }
    });
  const channel = new BroadcastChannel(databaseName);
  const tell = (id: string): void => channel.postMessage(id);
  const notes = createNotes(`${databaseName}:unfinished`, newId());
  /** What was asked for and has not ended, in its order. */
  const pending = new Set<Pending>();
  let queue: Promise<unknown> | undefined;
  const inOrder = <T>(work: () => Promise<T>, step?: Pending): Promise<T> => {
    // What can't be done again now stays noted for the next page.
    queue ??= redo().catch(() => undefined);
    const done = queue.then(work);
    if (step !== undefined) pending.add(step);
    queue = done
      .catch(() => undefined)
      .then(() => {
        // A page that was put aside with its notes and came back has done it all itself.
        if (step !== undefined && pending.delete(step) && pending.size === 0) notes.forget();
      });
    return done;
  };
  /** Which revision of a conversation this tab holds. */
  const revisions = new Map<string, string>();
  /** Keys of pictures that found no room, with when that was. */
  const noRoom = new Map<string, number>();
  /** What is written where Blobs are refused. */
  const bytes = new WeakMap<Blob, unknown>();
  /** Pictures that this page has seen kept. */
  const kept = new WeakSet<Blob>();
  const keys = new WeakMap<Blob, string>();
  const keyOf = (picture: Picture): string => keys.get(picture.blob) ?? picture.id;

  const hash = async (picture: Picture): Promise<void> => {
    if (keys.has(picture.blob)) return;
    // On plain HTTP from another machine there is no hashing: then a picture is kept once per time it was given.
    const subtle: SubtleCrypto | undefined = globalThis.isSecureContext ? crypto.subtle : undefined;
    if (subtle === undefined) return void keys.set(picture.blob, picture.id);
    const digest = new Uint8Array(await subtle.digest("SHA-256", await picture.blob.arrayBuffer()));
    keys.set(picture.blob, Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  };

  const withPictures = async (kept: StoredConversation, objects: IDBObjectStore): Promise<Conversation> => {
    const blobs = new Map<string, Blob>();
    for (const key of pictureKeys(kept)) {
      const value = await tolerantGet(objects, pictureKey(key));
      const blob = fromStoredBlob(value);
      if (blob === undefined) continue;
      blobs.set(key, blob);
      keys.set(blob, key);
    }
    return fromStored(kept, blobs);
  };

  /** Version 1 kept one conversation only, under a key of its own. */
  const migrateLayout = async (objects: IDBObjectStore): Promise<void> => {
    const kept = parseStored(await promisifyRequest<unknown>(objects.get("current")));
    if (kept === undefined) return;
    objects.delete("current");
    if (kept.turns.length === 0) return;
    objects.put({ ...kept, updatedAt: Date.now() }, conversationKey(kept.id));
    objects.put(kept.id, "last");
  };

  /** Pictures that other tabs' saves brought are there already, in whatever form. */
  const valueOf = ({ blob }: Picture): unknown => (takesBlobs ? blob : (bytes.get(blob) ?? blob));

  /** What is to be written, given what is there; undefined for nothing. */
  type Combine = (there: StoredConversation | undefined, objects: IDBObjectStore) => Promise<Conversation | undefined>;

  /** One transaction: the conversation and its new pictures, which are noted in `tried`; without that, the text alone. */
  const put = (id: string, revision: string, combine: Combine, tried: Map<string, Picture> | undefined) =>
    open("readwrite", async (objects) => {
      const there = parseStored(await tolerantGet(objects, conversationKey(id)));
      const both = await combine(there, objects);
      if (both === undefined) return undefined;
      for (const picture of tried === undefined ? [] : picturesOf(both)) {
        const key = keyOf(picture);
        const isThere = (await promisifyRequest(objects.getKey(pictureKey(key)))) !== undefined;
        if (isThere || noRoom.has(key)) continue;
        tried?.set(key, picture);
        objects.put(valueOf(picture), pictureKey(key));
      }
      await promisifyRequest(objects.put(toStored(both, revision, Date.now(), keyOf), conversationKey(id)));
      return both;
    });

  /** Those of several pictures that find room, smallest first; the others are noted. */
  const putPictures = async (pictures: readonly Picture[]): Promise<void> => {
    const sorted = [...pictures].sort((a, b) => a.blob.size - b.blob.size);
    for (const [index, picture] of sorted.entries()) {
      // The largest is the one that found no room among them all.
      let fits = index < sorted.length - 1;
      if (fits) {
        const key = pictureKey(keyOf(picture));
        await lookForRoom();
        fits = await open("readwrite", (objects) => promisifyRequest(objects.put(valueOf(picture), key))).then(
          () => true,
          () => false,
        );
      }
      if (fits) continue;
      for (const { blob, id, name } of sorted.slice(index)) noRoom.set(keyOf({ blob, id, name }), Date.now());
      return;
    }
  };

  const write = async (conversation: Conversation, revision: string, combine: Combine): Promise<Kept | undefined> => {
    const { id } = conversation;
    await Promise.all(picturesOf(conversation).map(hash));
    for (const [key, since] of noRoom) if (Date.now() - since > tryAgainMs) noRoom.delete(key);
    let both: Conversation | undefined;
    const tried = new Map<string, Picture>();
    if (!takesBlobs)
      for (const { blob } of picturesOf(conversation)) if (!kept.has(blob)) bytes.set(blob, await toBlobBytes(blob));
    if (picturesOf(conversation).some((picture) => !noRoom.has(keyOf(picture)) && !kept.has(picture.blob)))
      await lookForRoom();
    try {
      both = await put(id, revision, combine, tried);
    } catch (error) {
      if (takesBlobs && isBlobRefused(error)) {
        takesBlobs = false;
        return await write(conversation, revision, combine);
      }
      if (tried.size === 0) throw error;
      // The text alone; when not even that can be written, there is nothing to be done.
      both = await put(id, revision, combine, undefined);
      await putPictures([...tried.values()]);
    }
    if (both === undefined) return undefined;
    for (const picture of picturesOf(both)) if (!noRoom.has(keyOf(picture))) kept.add(picture.blob);
    revisions.set(id, revision);
    const missing = new Set(
      picturesOf(both)
        .map(keyOf)
        .filter((key) => noRoom.has(key)),
    );
    return { conversation: both, unkeptPictures: missing.size };
  };

  const read = (id: string): Promise<Conversation | undefined> =>
    open("readonly", async (objects) => {
      const kept = parseStored(await tolerantGet(objects, conversationKey(id)));
      if (kept === undefined) return undefined;
      revisions.set(id, kept.revision);
      return withPictures({ ...kept, id }, objects);
    });

  const remove = async (objects: IDBObjectStore, id: string): Promise<void> => {
    const value = await tolerantGet(objects, conversationKey(id));
    if (value !== undefined) objects.put({ removedAt: Date.now(), value }, removedKey(id));
    await promisifyRequest(objects.delete(conversationKey(id)));
  };

  const restore = async (objects: IDBObjectStore, id: string): Promise<void> => {
    const removed = v.safeParse(Removed, await tolerantGet(objects, removedKey(id)));
    const there = parseStored(await tolerantGet(objects, conversationKey(id)));
    const back = removed.success ? parseStored(removed.output.value) : undefined;
    if (removed.success && there === undefined) objects.put(removed.output.value, conversationKey(id));
    else if (there !== undefined && back !== undefined) {
      const both = joinConversations(await withPictures(there, objects), await withPictures(back, objects));
      objects.put(toStored(both, newId(), there.updatedAt, keyOf), conversationKey(id));
    }
    await promisifyRequest(objects.delete(removedKey(id)));
  };

  /** A save that a page before could not finish: over what that page knew, joined with what it did not. */
  const saveNoted = async (objects: IDBObjectStore, { before, own, value }: NotedSave): Promise<void> => {
    const parsed = parseStored(value);
    if (parsed === undefined) return;
    const kept = parseStored(await promisifyRequest<unknown>(objects.get(conversationKey(parsed.id))));
    // It got there after all.
    if (kept?.revision === parsed.revision) return;
    // What had been kept and is gone was deleted since.
    if (kept === undefined && before !== undefined) return;
    // A picture that got there with an earlier save may have been noted before its key was known.
    const noted = kept === undefined ? parsed : withKeysOf(kept, parsed);
    const whole = await withPictures(noted, objects);
    const missing = picturesOf(withoutBytes(noted)).length > picturesOf(whole).length;
    // Nobody should answer about a picture that did not make it.
    const ours = missing ? mapTurns(whole, (turn) => (isQueued(turn) ? { ...turn, status: "stopped" } : turn)) : whole;
    const known = kept === undefined || kept.revision === before || own.includes(kept.revision);
    const both = known ? ours : joinConversations(ours, await withPictures(kept, objects));
    objects.put(toStored(both, known ? noted.revision : newId(), noted.updatedAt, keyOf), conversationKey(noted.id));
  };

  /** Does what the pages before noted when they went. */
  const redo = async (): Promise<void> => {
    for (const { steps, forget } of notes.ofOthers()) {
      await open("readwrite", async (objects) => {
        await migrateLayout(objects);
        for (const step of steps) {
          if (step.op === "save") await saveNoted(objects, step);
          else if (step.op === "remove") await remove(objects, step.id);
          else if (step.op === "restore") await restore(objects, step.id);
          else objects.put(step.id, "last");
        }
      });
      forget();
      for (const step of steps) if (step.op !== "last") tell(step.id);
    }
  };

  return {
    list: () =>
      inOrder(() =>
        open("readwrite", async (objects) => {
          await migrateLayout(objects);
          const all = await readAll(objects, "conversation");
          return inListOrder(all.map((kept) => summarize(withoutBytes(kept))));
        }),
      ),
    load: () =>
      inOrder(async () => {
        const last = await open("readwrite", async (objects) => {
          await migrateLayout(objects);
          return promisifyRequest<unknown>(objects.get("last"));
        });
        return typeof last === "string" ? read(last) : undefined;
      }),
    open: (id) => inOrder(() => read(id)),
    // Beside the queue, and without noting a revision: looking is not holding.
    firstPicture: (id) =>
      open("readonly", async (objects) => {
        const kept = parseStored(await promisifyRequest<unknown>(objects.get(conversationKey(id))));
        const [first] = kept === undefined ? [] : pictureKeys(kept);
        const value = first === undefined ? undefined : await promisifyRequest<unknown>(objects.get(pictureKey(first)));
        return value instanceof Blob ? value : undefined;
      }),
    setLast: (id = "") =>
      inOrder(
        () =>
          open("readwrite", async (objects) => {
            await promisifyRequest(objects.put(id, "last"));
          }),
        { op: "last", id },
      ),
    save(conversation) {
      const revision = newId();
      return inOrder(
        async () => {
          const { id } = conversation;
          const kept = await write(conversation, revision, async (there, objects) => {
            const known = revisions.get(id);
            // What was here and is gone was deleted in another tab.
            if (there === undefined) return known === undefined ? conversation : undefined;
            return there.revision === known
              ? conversation
              : joinConversations(conversation, await withPictures(there, objects));
          });
          if (kept === undefined) return "deleted";
          tell(id);
          return kept;
        },
        { op: "save", conversation, revision },
      );
    },
    merge: (conversation) =>
      inOrder(async () => {
        const { id } = conversation;
        const kept = await write(conversation, newId(), async (there, objects) =>
          there === undefined ? conversation : joinConversations(await withPictures(there, objects), conversation),
        );
        tell(id);
        return kept ?? { conversation, unkeptPictures: 0 };
      }),
    remove: (id) =>
      inOrder(
        async () => {
          await open("readwrite", (objects) => remove(objects, id));
          noRoom.clear();
          tell(id);
        },
        { op: "remove", id },
      ),
    restore: (id) =>
      inOrder(
        async () => {
          await open("readwrite", (objects) => restore(objects, id));
          tell(id);
        },
        { op: "restore", id },
      ),
    purge: () =>
      inOrder(() =>
        open("readwrite", async (objects) => {
          // A tab of an older version may just have kept a conversation, whose pictures are no rubbish.
          await migrateLayout(objects);
          await purge(objects);
        }),
      ),
    noteUnfinished() {
      const asNoted = ({ conversation, revision }: PendingSave, own: readonly string[]): NotedSave => ({
        op: "save",
        id: conversation.id,
        before: revisions.get(conversation.id),
        own,
        value: toStored(conversation, revision, Date.now(), keyOf),
      });
      const noted = toNotes([...pending], asNoted);
      if (noted.length > 0) notes.write(noted);
    },
    onChange(listener) {
      const hear = (event: MessageEvent<unknown>): void => {
        if (typeof event.data === "string") listener(event.data);
      };
      channel.addEventListener("message", hear);
      return () => channel.removeEventListener("message", hear);
    },
  };
}

/**
 * Makes Chromium count anew what is used. With the count of before it begins to write a picture that has no room, and the half of it goes
 * on filling the storage, so that no text finds room after it (measured in Chromium 156).
 */
async function lookForRoom(): Promise<void> {
  const storage: StorageManager | undefined = "storage" in navigator ? navigator.storage : undefined;
  await storage?.estimate().catch(() => undefined);
}

/** A record whose bytes the browser can't read any more is none; the transaction goes on. */
function tolerantGet(objects: IDBObjectStore, key: string): Promise<unknown> {
  return tolerant<unknown>(objects.get(key));
}

function tolerant<T>(request: IDBRequest<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      // Not handled, it would undo the whole transaction.
      event.preventDefault();
      event.stopPropagation();
      resolve(undefined);
    };
  });
}

/** All that can be read, under the ids of their keys; one broken record hides no other. */
async function readAll(objects: IDBObjectStore, kind: string): Promise<StoredConversation[]> {
  const keys = await promisifyRequest(objects.getAllKeys(allKeys(kind)));
  const together = await tolerant<unknown[]>(objects.getAll(allKeys(kind)));
  const all: StoredConversation[] = [];
  for (const [index, key] of keys.entries()) {
    const value = together === undefined ? await tolerant<unknown>(objects.get(key)) : together[index];
    const kept = parseStored(value);
    if (kept !== undefined) all.push({ ...kept, id: typeof key === "string" ? key.slice(kind.length + 1) : kept.id });
  }
  return all;
}

const isQueued = (turn: Turn): turn is AssistantTurn => turn.role === "assistant" && turn.status === "queued";

const nothing = new Blob();
const withoutBytes = (kept: StoredConversation): Conversation =>
  fromStored(kept, new Map(pictureKeys(kept).map((key) => [key, nothing])));

/** A transaction that has ended already can't be aborted, and need not be. */
function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "InvalidStateError")) throw error;
  }
}

async function purge(objects: IDBObjectStore): Promise<void> {
  const shown = new Set<string>();
  const note = (value: unknown): boolean => {
    const kept = parseStored(value);
    for (const key of kept === undefined ? [] : pictureKeys(kept)) shown.add(pictureKey(key));
    return kept !== undefined;
  };
  const keys = await promisifyRequest(objects.getAllKeys(allKeys("conversation")));
  let readable = true;
  for (const key of keys) readable = note(await tolerant<unknown>(objects.get(key))) && readable;
  for (const key of await promisifyRequest(objects.getAllKeys(allKeys("removed")))) {
    const removed = v.safeParse(Removed, await tolerant<unknown>(objects.get(key)));
    if (removed.success && Date.now() - removed.output.removedAt < undoMs)
      readable = note(removed.output.value) && readable;
    else objects.delete(key);
  }
  const ids = new Set(keys.map((key) => (typeof key === "string" ? key.slice("conversation:".length) : "")));
  for (const key of await promisifyRequest(objects.getAllKeys(allKeys("draft")))) {
    const id = typeof key === "string" ? key.slice("draft:".length) : "";
    if (id !== newChatDraft && !ids.has(id)) objects.delete(key);
  }
  // What a later version has kept may show any of them.
  if (!readable) return;
  for (const key of await promisifyRequest(objects.getAllKeys(allKeys("picture")))) {
    if (typeof key === "string" && !shown.has(key)) objects.delete(key);
  }
}
