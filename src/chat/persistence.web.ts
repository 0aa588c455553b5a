// Conversations in IndexedDB, in a database of their own. A picture is written once per content: its key is its hash. Every save
// compares revisions inside its transaction, so that two tabs never overwrite each other.
//   conversation:<id>  the conversation       removed:<id>  one that can still be brought back
//   picture:<key>      a picture's bytes       last          id of the conversation shown last
//   current            version 1: the only conversation
import { createStore, promisifyRequest, type UseStore } from "idb-keyval";
import * as v from "valibot";
import { joinConversations } from "./conversation-branches.ts";
import type { Conversation, Picture } from "./conversation.ts";
import { newId } from "./new-id.ts";
import {
  fromStored,
  inListOrder,
  parseStored,
  pictureKeys,
  picturesOf,
  summarize,
  toStored,
  type ChatPersistence,
  type StoredConversation,
} from "./persistence.ts";

const conversationKey = (id: string): string => `conversation:${id}`;
const removedKey = (id: string): string => `removed:${id}`;
const pictureKey = (key: string): string => `picture:${key}`;
/** ";" comes right after ":" */
const allKeys = (kind: string): IDBKeyRange => IDBKeyRange.bound(`${kind}:`, `${kind};`, false, true);
const undoMs = 60_000;

const Removed = v.object({ removedAt: v.number(), value: v.unknown() });

/** Opens the database at the first call; other tabs are told of changes on a channel of the same name. */
export function createWebPersistence(databaseName = "llava-web-chat"): ChatPersistence {
  let store: UseStore | undefined;
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
        abort(objects.transaction);
        throw error;
      }
    });
  const channel = new BroadcastChannel(databaseName);
  let queue: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  };
  /** Which revision of a conversation this tab holds. */
  const revisions = new Map<string, string>();
  const keys = new WeakMap<Blob, string>();

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
      const value = await promisifyRequest<unknown>(objects.get(pictureKey(key)));
      if (!(value instanceof Blob)) continue;
      blobs.set(key, value);
      keys.set(value, key);
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

  const write = async (conversation: Conversation): Promise<Conversation> => {
    await Promise.all(picturesOf(conversation).map(hash));
    const { id } = conversation;
    const revision = newId();
    const joined = await open("readwrite", async (objects) => {
      const there = parseStored(await promisifyRequest<unknown>(objects.get(conversationKey(id))));
      const known = there === undefined || there.revision === revisions.get(id);
      const both = known ? conversation : joinConversations(conversation, await withPictures(there, objects));
      for (const picture of picturesOf(both)) {
        const key = pictureKey(keys.get(picture.blob) ?? picture.id);
        if ((await promisifyRequest(objects.getKey(key))) === undefined) objects.put(picture.blob, key);
      }
      const kept = toStored(both, revision, Date.now(), (picture) => keys.get(picture.blob) ?? picture.id);
      await promisifyRequest(objects.put(kept, conversationKey(id)));
      return both;
    });
    revisions.set(id, revision);
    return joined;
  };

  const read = (id: string): Promise<Conversation | undefined> =>
    open("readonly", async (objects) => {
      const kept = parseStored(await promisifyRequest<unknown>(objects.get(conversationKey(id))));
      if (kept === undefined) return undefined;
      revisions.set(id, kept.revision);
      return withPictures(kept, objects);
    });

  const tell = (id: string): void => channel.postMessage(id);

  return {
    list: () =>
      inOrder(() =>
        open("readwrite", async (objects) => {
          await migrateLayout(objects);
          const values = await promisifyRequest<unknown[]>(objects.getAll(allKeys("conversation")));
          const all = values.map(parseStored).filter((kept) => kept !== undefined);
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
    setLast: (id) =>
      inOrder(() =>
        open("readwrite", async (objects) => {
          await promisifyRequest(objects.put(id ?? "", "last"));
        }),
      ),
    save: (conversation) =>
      inOrder(async () => {
        const kept = await write(conversation);
        tell(conversation.id);
        return kept;
      }),
    remove: (id) =>
      inOrder(async () => {
        await open("readwrite", async (objects) => {
          const value = await promisifyRequest<unknown>(objects.get(conversationKey(id)));
          if (value !== undefined) objects.put({ removedAt: Date.now(), value }, removedKey(id));
          await promisifyRequest(objects.delete(conversationKey(id)));
        });
        tell(id);
      }),
    restore: (id) =>
      inOrder(async () => {
        await open("readwrite", async (objects) => {
          const removed = v.safeParse(Removed, await promisifyRequest<unknown>(objects.get(removedKey(id))));
          if (removed.success) objects.put(removed.output.value, conversationKey(id));
          await promisifyRequest(objects.delete(removedKey(id)));
        });
        tell(id);
      }),
    purge: () =>
      inOrder(() =>
        open("readwrite", async (objects) => {
          // A tab of an older version may just have kept a conversation, whose pictures are no rubbish.
          await migrateLayout(objects);
          await purge(objects);
        }),
      ),
    onChange(listener) {
      const hear = (event: MessageEvent<unknown>): void => {
        if (typeof event.data === "string") listener(event.data);
      };
      channel.addEventListener("message", hear);
      return () => channel.removeEventListener("message", hear);
    },
  };
}

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
  const conversations = await promisifyRequest<unknown[]>(objects.getAll(allKeys("conversation")));
  let readable = conversations.map(note).every(Boolean);
  for (const key of await promisifyRequest(objects.getAllKeys(allKeys("removed")))) {
    const removed = v.safeParse(Removed, await promisifyRequest<unknown>(objects.get(key)));
    if (removed.success && Date.now() - removed.output.removedAt < undoMs)
      readable = note(removed.output.value) && readable;
    else objects.delete(key);
  }
  // What a later version has kept may show any of them.
  if (!readable) return;
  for (const key of await promisifyRequest(objects.getAllKeys(allKeys("picture")))) {
    if (typeof key === "string" && !shown.has(key)) objects.delete(key);
  }
}
