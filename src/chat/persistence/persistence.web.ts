// Conversations in the browser's IndexedDB, in a database of their own (database.web.ts has its layout). Calls are carried out in their
// order; what has not ended when a page goes is repeated by the next page (redo-journal.web.ts).
import { promisifyRequest } from "idb-keyval";
import { isBlobRefused } from "#weights/store/blob-values.ts";
import { allPictures } from "#chat/conversation/branches.ts";
import { joinConversations } from "#chat/conversation/join.ts";
import type { Conversation, Picture } from "#chat/conversation/conversation.ts";
import { newId } from "#chat/new-id.ts";
import {
  migrateLayout,
  purge,
  read,
  readAll,
  redoSave,
  remove,
  restore,
  write,
  type Combine,
} from "./conversation-records.web.ts";
import { conversationKey, openDatabase, pictureKey, type Transact } from "./database.web.ts";
import { inListOrder, summarize, type ChatPersistence, type ConversationSummary, type Saved } from "./persistence.ts";
import {
  countMissing,
  createPictureRecords,
  keyOf,
  preparePictures,
  putPicturesThatFit,
  withPictures,
  type PictureRecords,
} from "./picture-records.web.ts";
import {
  ConversationStep,
  createRedoJournal,
  toJournal,
  type PendingSave,
  type PendingStep,
  type JournalStep,
  type RedoJournal,
} from "./redo-journal.web.ts";
import { parseStored, pictureKeys, toStored } from "./stored-conversation.ts";

interface WebPersistence extends ChatPersistence {
  /** The first picture of a conversation, to be shown small; undefined when it has none. */
  firstPicture(id: string): Promise<Blob | undefined>;
}

/** What the functions below work on: the database, and what this tab knows of it. */
interface Tab {
  readonly transact: Transact;
  readonly pictures: PictureRecords;
  /** The revision of each conversation that this tab has opened or saved. */
  readonly revisions: Map<string, string>;
  readonly journal: RedoJournal<JournalStep>;
  /** The calls that have not ended, in their order. */
  readonly pending: Set<PendingStep>;
  /** The end of the call that was made last; undefined before the first. */
  queue: Promise<unknown> | undefined;
  /** Tells the other tabs that a conversation has changed. */
  readonly tell: (id: string) => void;
}

/** Opens the database at the first call; other tabs are told of changes on a channel of the same name. */
export function createWebPersistence(databaseName = "llava-web-chat"): WebPersistence {
  const channel = new BroadcastChannel(databaseName);
  const tab: Tab = {
    transact: openDatabase(databaseName),
    pictures: createPictureRecords(),
    revisions: new Map(),
    journal: createRedoJournal(`${databaseName}:unfinished`, newId(), ConversationStep),
    pending: new Set(),
    queue: undefined,
    tell: (id) => channel.postMessage(id),
  };
  return {
    list: () => inOrder(tab, () => list(tab)),
    load: () => inOrder(tab, () => loadLast(tab)),
    open: (id) => inOrder(tab, () => openConversation(tab, id)),
    // Beside the queue, because a thumbnail should wait for nothing.
    firstPicture: (id) => firstPicture(tab, id),
    setLast: (id = "") => inOrder(tab, () => setLast(tab, id), { op: "last", id }),
    save(conversation) {
      const revision = newId();
      return inOrder(tab, () => save(tab, conversation, revision), { op: "save", conversation, revision });
    },
    merge: (conversation) => inOrder(tab, () => merge(tab, conversation)),
    remove: (id) => inOrder(tab, () => removeConversation(tab, id), { op: "remove", id }),
    restore: (id) => inOrder(tab, () => restoreConversation(tab, id), { op: "restore", id }),
    purge: () => inOrder(tab, () => purgeAll(tab)),
    noteUnfinished: () => writeJournal(tab),
    onChange(listener) {
      const hear = (event: MessageEvent<unknown>): void => {
        if (typeof event.data === "string") listener(event.data);
      };
      channel.addEventListener("message", hear);
      return () => channel.removeEventListener("message", hear);
    },
  };
}

/** Does the work after all that was asked for before it; `step` is what the journal says of it until it has ended. */
function inOrder<T>(tab: Tab, work: () => Promise<T>, step?: PendingStep): Promise<T> {
  const { pending, journal } = tab;
  // What can't be repeated now stays in the journal for the next page.
  tab.queue ??= redo(tab).catch(() => undefined);
  const done = tab.queue.then(work);
  if (step !== undefined) pending.add(step);
  tab.queue = done
    .catch(() => undefined)
    .then(() => {
      // A page that was put aside with its journal and came back has done everything itself.
      if (step !== undefined && pending.delete(step) && pending.size === 0) journal.clear();
    });
  return done;
}

/** Repeats what earlier pages wrote into the journal when they went. */
async function redo({ transact, pictures, journal, tell }: Tab): Promise<void> {
  for (const { steps, forget } of journal.ofOtherPages()) {
    await transact("readwrite", async (objects) => {
      await migrateLayout(objects);
      for (const step of steps) {
        if (step.op === "save") await redoSave(objects, pictures, step);
        else if (step.op === "remove") await remove(objects, step.id);
        else if (step.op === "restore") await restore(objects, pictures, step.id);
        else objects.put(step.id, "last");
      }
    });
    forget();
    for (const step of steps) if (step.op !== "last") tell(step.id);
  }
}

/** Writes what is pending into the journal. */
function writeJournal({ pictures, revisions, journal, pending }: Tab): void {
  const steps = toJournal([...pending], ({ conversation, revision }: PendingSave, own) => ({
    op: "save",
    id: conversation.id,
    before: revisions.get(conversation.id),
    own,
    value: toStored(conversation, revision, Date.now(), (picture) => keyOf(pictures, picture)),
  }));
  if (steps.length > 0) journal.write(steps);
}

function list({ transact }: Tab): Promise<readonly ConversationSummary[]> {
  return transact("readwrite", async (objects) => {
    await migrateLayout(objects);
    return inListOrder((await readAll(objects)).map(summarize));
  });
}

async function loadLast(tab: Tab): Promise<Conversation | undefined> {
  const last = await tab.transact("readwrite", async (objects) => {
    await migrateLayout(objects);
    return promisifyRequest<unknown>(objects.get("last"));
  });
  return typeof last === "string" ? openConversation(tab, last) : undefined;
}

/** Does not note a revision, because looking at a conversation is not opening it. */
function firstPicture({ transact }: Tab, id: string): Promise<Blob | undefined> {
  return transact("readonly", async (objects) => {
    const stored = parseStored(await promisifyRequest<unknown>(objects.get(conversationKey(id))));
    const [first] = stored === undefined ? [] : pictureKeys(stored);
    const value = first === undefined ? undefined : await promisifyRequest<unknown>(objects.get(pictureKey(first)));
    return value instanceof Blob ? value : undefined;
  });
}

function setLast({ transact }: Tab, id: string): Promise<void> {
  return transact("readwrite", async (objects) => {
    await promisifyRequest(objects.put(id, "last"));
  });
}

async function removeConversation({ transact, pictures, tell }: Tab, id: string): Promise<void> {
  await transact("readwrite", (objects) => remove(objects, id));
  // The removal may have made room for pictures that found none.
  pictures.noRoom.clear();
  tell(id);
}

async function restoreConversation({ transact, pictures, tell }: Tab, id: string): Promise<void> {
  await transact("readwrite", (objects) => restore(objects, pictures, id));
  tell(id);
}

function purgeAll({ transact }: Tab): Promise<void> {
  return transact("readwrite", async (objects) => {
    // A tab of an older version may just have stored a conversation, whose pictures must stay.
    await migrateLayout(objects);
    await purge(objects);
  });
}

async function openConversation({ transact, pictures, revisions }: Tab, id: string): Promise<Conversation | undefined> {
  const found = await transact("readonly", async (objects) => {
    const stored = await read(objects, pictures, id);
    if (stored !== undefined) revisions.set(id, stored.revision);
    return stored;
  });
  return found?.conversation;
}

async function save(tab: Tab, conversation: Conversation, revision: string): Promise<Saved | "deleted"> {
  const { id } = conversation;
  const saved = await writeWithPictures(tab, conversation, revision, async (there, objects) => {
    const known = tab.revisions.get(id);
    // What was here and is gone was deleted in another tab.
    if (there === undefined) return known === undefined ? conversation : undefined;
    if (there.revision === known) return conversation;
    return joinConversations(conversation, await withPictures(tab.pictures, objects, there));
  });
  if (saved === undefined) return "deleted";
  tab.tell(id);
  return saved;
}

async function merge(tab: Tab, conversation: Conversation): Promise<Saved> {
  const saved = await writeWithPictures(tab, conversation, newId(), async (there, objects) =>
    there === undefined
      ? conversation
      : joinConversations(await withPictures(tab.pictures, objects, there), conversation),
  );
  tab.tell(conversation.id);
  return saved ?? { conversation, unsavedPictures: 0 };
}

/** Writes the conversation with as many of its pictures as find room; rejects where not even its text does. */
async function writeWithPictures(
  tab: Tab,
  conversation: Conversation,
  revision: string,
  combine: Combine,
): Promise<Saved | undefined> {
  const { transact, pictures, revisions } = tab;
  const { id } = conversation;
  await preparePictures(pictures, allPictures(conversation));
  const put = new Map<string, Picture>();
  let both: Conversation | undefined;
  try {
    both = await transact("readwrite", (objects) => write(objects, pictures, { id, revision, combine }, put));
  } catch (error) {
    if (pictures.takesBlobs && isBlobRefused(error)) {
      pictures.takesBlobs = false;
      return await writeWithPictures(tab, conversation, revision, combine);
    }
    if (put.size === 0) throw error;
    both = await transact("readwrite", (objects) => write(objects, pictures, { id, revision, combine }, undefined));
    await putPicturesThatFit(pictures, transact, [...put.values()]);
  }
  if (both === undefined) return undefined;
  revisions.set(id, revision);
  return { conversation: both, unsavedPictures: countMissing(pictures, both) };
}
