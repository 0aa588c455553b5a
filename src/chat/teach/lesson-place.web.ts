// Lessons in the browser's IndexedDB, in a database of their own:
//   lesson:<id>    a StoredLesson        picture:<key>  a picture's bytes, each content once
// A change reads, changes and writes within one transaction, so that two tabs never overwrite each other. What has not ended when a page goes is
// done by the next page (redo-journal.web.ts).
import { promisifyRequest } from "idb-keyval";
import * as v from "valibot";
import { createRedoJournal, type RedoJournal } from "#chat/persistence/redo-journal.web.ts";
import { isBlobRefused, fromStoredBlob } from "#weights/store/blob-values.ts";
import {
  allKeys,
  getAllReadable,
  getReadable,
  openDatabase,
  pictureKey,
  readable,
  type Transact,
} from "#chat/persistence/database.web.ts";
import {
  createPictureRecords,
  keyOf,
  preparePictures,
  putPictures,
  putPicturesThatFit,
  type PictureRecords,
} from "#chat/persistence/picture-records.web.ts";
import type { Picture } from "#chat/conversation/conversation.ts";
import type { Lesson } from "./lesson.ts";
import { afterNote, inLessonOrder, keysOf, type ChangedLesson, type KeyedPicture, type KeptLessons, type LessonPlace } from "./lesson-place.ts"; // prettier-ignore
import { parseLesson, toStored } from "./stored-lesson.ts";

const lessonKey = (id: string): string => `lesson:${id}`;

/** `lesson` is a stored one, and null for one that was removed. */
const NotedLesson = v.object({ id: v.string(), at: v.number(), lesson: v.unknown() });
type NotedLesson = v.InferOutput<typeof NotedLesson>;

interface Tab {
  readonly journal: RedoJournal<NotedLesson>;
  readonly transact: Transact;
  readonly records: PictureRecords;
  readonly tell: (id: string) => void;
}

/**
 * Opens the database at the first call; other tabs are told of changes on a channel of the same name. `page` is a name that no other page has.
 */
export function createWebLessons(page: string, databaseName = "llava-web-lessons"): LessonPlace {
  const channel = new BroadcastChannel(databaseName);
  const tab: Tab = {
    journal: createRedoJournal(`${databaseName}:unfinished`, page, NotedLesson),
    transact: openDatabase(databaseName),
    records: createPictureRecords(),
    tell: (id) => channel.postMessage(id),
  };
  let queue: Promise<unknown> | undefined;
  let changes = 0;
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    // What can't be done now stays in the journal for the next page.
    queue ??= redo(tab).catch(() => undefined);
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  };
  return {
    readAll: () => inOrder(() => readAll(tab)),
    read: (id) => inOrder(() => readOne(tab, id)),
    change(id, change, pictures) {
      changes++;
      return inOrder(() => changeLesson(tab, id, change, pictures)).finally(() => {
        // A page that was put aside with its notes and came back has done everything itself.
        if (--changes === 0) tab.journal.clear();
      });
    },
    noteUnfinished(lessons) {
      if (lessons.length === 0) return;
      tab.journal.write(lessons.map(({ id, at, lesson }) => ({ id, at, lesson: lesson ? toStored(lesson) : null })));
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

/** Does what earlier pages noted when they went. */
async function redo({ transact, journal, tell }: Tab): Promise<void> {
  for (const { steps, forget } of journal.ofOtherPages()) {
    await transact("readwrite", async (objects) => {
      for (const { id, at, lesson } of steps) {
        const stored = await getReadable(objects, lessonKey(id));
        const kept = parseLesson(stored);
        // Stored by a later version of the app.
        if (stored !== undefined && kept === undefined) continue;
        const after = afterNote(kept, { id, at, lesson: parseLesson(lesson) });
        if (after === undefined) objects.delete(lessonKey(id));
        else objects.put(toStored(after), lessonKey(id));
      }
    });
    forget();
    for (const { id } of steps) tell(id);
  }
}

function readAll({ transact, records }: Tab): Promise<KeptLessons> {
  return transact("readwrite", async (objects) => {
    const kept = (await getAllReadable(objects, "lesson")).map(([, value]) => parseLesson(value));
    const lessons = kept.filter((lesson) => lesson !== undefined);
    const shown = new Set(lessons.flatMap(keysOf));
    // A lesson that a later version of the app has stored may show any of the pictures.
    if (lessons.length === kept.length)
      for (const key of await promisifyRequest(objects.getAllKeys(allKeys("picture"))))
        if (typeof key === "string" && !shown.has(key.slice("picture:".length))) objects.delete(key);
    return { lessons: inLessonOrder(lessons), blobs: await readBlobs(records, objects, shown) };
  });
}

function readOne({ transact, records }: Tab, id: string): Promise<KeptLessons> {
  return transact("readonly", async (objects) => {
    const lesson = parseLesson(await getReadable(objects, lessonKey(id)));
    if (lesson === undefined) return { lessons: [], blobs: new Map() };
    return { lessons: [lesson], blobs: await readBlobs(records, objects, keysOf(lesson)) };
  });
}

async function readBlobs(
  { keys, stored }: PictureRecords,
  objects: IDBObjectStore,
  wanted: Iterable<string>,
): Promise<Map<string, Blob>> {
  const blobs = new Map<string, Blob>();
  for (const key of wanted) {
    const blob = fromStoredBlob(await readable<unknown>(objects.get(pictureKey(key))));
    if (blob === undefined) continue;
    blobs.set(key, blob);
    keys.set(blob, key);
    stored.add(blob);
  }
  return blobs;
}

async function changeLesson(
  tab: Tab,
  id: string,
  change: (kept: Lesson | undefined) => Lesson | undefined,
  given: readonly KeyedPicture[],
): Promise<ChangedLesson> {
  const { transact, records, tell } = tab;
  const pictures = given.map(({ picture }) => picture);
  for (const { key, picture } of given) {
    records.keys.set(picture.blob, key);
    // Given again, it is tried again at once.
    records.noRoom.delete(key);
  }
  await preparePictures(records, pictures);
  const put = new Map<string, Picture>();
  const write = (bytes: boolean): Promise<Lesson | undefined> =>
    transact("readwrite", async (objects) => {
      const changed = change(parseLesson(await getReadable(objects, lessonKey(id))));
      if (changed !== undefined && bytes) await putPictures(records, objects, pictures, put);
      if (changed === undefined) await promisifyRequest(objects.delete(lessonKey(id)));
      else await promisifyRequest(objects.put(toStored(changed), lessonKey(id)));
      return changed;
    });
  let lesson: Lesson | undefined;
  try {
    lesson = await write(true);
  } catch (error) {
    if (records.takesBlobs && pictures.length > 0 && isBlobRefused(error)) {
      records.takesBlobs = false;
      return changeLesson(tab, id, change, given);
    }
    if (put.size === 0) throw error;
    lesson = await write(false);
    await putPicturesThatFit(records, transact, [...put.values()]);
  }
  tell(id);
  const missing = pictures.map((picture) => keyOf(records, picture)).filter((key) => records.noRoom.has(key));
  return { lesson, missing: [...new Set(missing)] };
}
