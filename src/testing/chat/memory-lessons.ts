// Lessons kept in memory, for tests of what is built on a LessonPlace. Two of them with one shelf are two tabs.
import type { Lesson } from "#chat/teach/lesson.ts";
import { afterNote, inLessonOrder, keysOf, type LessonPlace, type UnfinishedLesson } from "#chat/teach/lesson-place.ts";

export interface Shelf {
  readonly lessons: Map<string, Lesson>;
  readonly blobs: Map<string, Blob>;
  readonly listeners: Map<object, (id: string) => void>;
  readonly notes: UnfinishedLesson[];
  /** How many bytes of pictures find room. */
  room: number;
  /** Every write fails with this. */
  failure: Error | undefined;
}

export function createShelf(): Shelf {
  return { lessons: new Map(), blobs: new Map(), listeners: new Map(), notes: [], room: Infinity, failure: undefined };
}

export function createMemoryLessons(shelf: Shelf): LessonPlace {
  const me = {};
  const blobsOf = (lessons: readonly Lesson[]): Map<string, Blob> =>
    new Map(
      lessons.flatMap(keysOf).flatMap((key) => {
        const blob = shelf.blobs.get(key);
        return blob === undefined ? [] : [[key, blob] as const];
      }),
    );
  return {
    readAll() {
      for (const note of shelf.notes.splice(0)) {
        const lesson = afterNote(shelf.lessons.get(note.id), note);
        if (lesson === undefined) shelf.lessons.delete(note.id);
        else shelf.lessons.set(note.id, lesson);
      }
      const lessons = inLessonOrder([...shelf.lessons.values()]);
      const shown = new Set(lessons.flatMap(keysOf));
      for (const key of shelf.blobs.keys()) if (!shown.has(key)) shelf.blobs.delete(key);
      return Promise.resolve({ lessons, blobs: blobsOf(lessons) });
    },
    read(id) {
      const lesson = shelf.lessons.get(id);
      const lessons = lesson === undefined ? [] : [lesson];
      return Promise.resolve({ lessons, blobs: blobsOf(lessons) });
    },
    change(id, change, pictures) {
      if (shelf.failure !== undefined) return Promise.reject(shelf.failure);
      const lesson = change(shelf.lessons.get(id));
      const missing: string[] = [];
      if (lesson === undefined) shelf.lessons.delete(id);
      else {
        shelf.lessons.set(id, lesson);
        for (const { key, picture } of pictures) {
          const used = [...shelf.blobs.values()].reduce((sum, { size }) => sum + size, 0);
          if (shelf.blobs.has(key)) continue;
          if (used + picture.blob.size > shelf.room) missing.push(key);
          else shelf.blobs.set(key, picture.blob);
        }
      }
      for (const [owner, listener] of shelf.listeners) if (owner !== me) listener(id);
      return Promise.resolve({ lesson, missing });
    },
    noteUnfinished(lessons) {
      shelf.notes.push(...lessons);
    },
    onChange(listener) {
      shelf.listeners.set(me, listener);
      return () => shelf.listeners.delete(me);
    },
  };
}
