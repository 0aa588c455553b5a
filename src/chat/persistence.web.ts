// Conversations in IndexedDB, in a database of their own. A picture is written once per content: its key is its hash. Every save
// compares revisions inside its transaction, so that two tabs never overwrite each other.
//   conversation:<id>  the conversation       removed:<id>  one that can still be brought back
//   picture:<key>      a picture's bytes       last          id of the conversation shown last
//   current            version 1: the only conversation
// What had not ended when a page went is done by the next one (unfinished.web.ts).
import { createStore, promisifyRequest, type UseStore } from "idb-keyval";
import * as v from "valibot";
import { fromStoredBlob, isBlobRefused, toBlobBytes } from "#weights/blob-values.ts";
import { joinConversations, mapTurns } from "./conversation-branches.ts";
import type { AssistantTurn, Conversation, Picture, Turn } from "./conversation.ts";
import { newId } from "./new-id.ts";
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
  type StoredConversation,
} from "./persistence.ts";
import { createNotes, toNotes, type NotedSave, type Pending, type PendingSave } from "./unfinished.web.ts";

const conversationKey = (id: string): string => `conversation:${id}`;
const removedKey = (id: string): string => `removed:${id}`;
const pictureKey = (key: string): string => `picture:${key}`;
/** ";" comes right after ":" */
const allKeys = (kind: string): IDBKeyRange => IDBKeyRange.bound(`${kind}:`, `${kind};`, false, true);
const undoMs = 60_000;

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
        abort(objects.transaction);
        throw error;
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
      const value = await promisifyRequest<unknown>(objects.get(pictureKey(key)));
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

  const write = async (conversation: Conversation, revision: string): Promise<Conversation> => {
    try {
      return await writeOnce(conversation, revision);
    } catch (error) {
      if (!takesBlobs || !isBlobRefused(error)) throw error;
      takesBlobs = false;
      return writeOnce(conversation, revision);
    }
  };

  const writeOnce = async (conversation: Conversation, revision: string): Promise<Conversation> => {
    const pictures = picturesOf(conversation);
    await Promise.all(pictures.map(hash));
    const values = new Map<string, unknown>();
    for (const picture of pictures)
      values.set(keyOf(picture), takesBlobs ? picture.blob : await toBlobBytes(picture.blob));
    const { id } = conversation;
    const joined = await open("readwrite", async (objects) => {
      const there = parseStored(await promisifyRequest<unknown>(objects.get(conversationKey(id))));
      const known = there === undefined || there.revision === revisions.get(id);
      const both = known ? conversation : joinConversations(conversation, await withPictures(there, objects));
      for (const picture of picturesOf(both)) {
        const key = pictureKey(keyOf(picture));
        // Pictures that the other tab's save brought are there already.
        const value = values.get(keyOf(picture)) ?? picture.blob;
        if ((await promisifyRequest(objects.getKey(key))) === undefined) objects.put(value, key);
      }
      const kept = toStored(both, revision, Date.now(), keyOf);
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
          const kept = await write(conversation, revision);
          tell(conversation.id);
          return kept;
        },
        { op: "save", conversation, revision },
      );
    },
    remove: (id) =>
      inOrder(
        async () => {
          await open("readwrite", (objects) => remove(objects, id));
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

async function remove(objects: IDBObjectStore, id: string): Promise<void> {
  const value = await promisifyRequest<unknown>(objects.get(conversationKey(id)));
  if (value !== undefined) objects.put({ removedAt: Date.now(), value }, removedKey(id));
  await promisifyRequest(objects.delete(conversationKey(id)));
}

async function restore(objects: IDBObjectStore, id: string): Promise<void> {
  const removed = v.safeParse(Removed, await promisifyRequest<unknown>(objects.get(removedKey(id))));
  if (removed.success) objects.put(removed.output.value, conversationKey(id));
  await promisifyRequest(objects.delete(removedKey(id)));
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
