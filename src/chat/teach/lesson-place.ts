// What the lessons ask of a place that keeps them. Knows no database: lesson-place.web.ts is the browser's, testing/memory-lessons.ts one in
// memory; testing/lessons-contract.ts holds both to the promises below.
import type { Picture } from "#chat/conversation/conversation.ts";
import type { Lesson } from "./lesson.ts";

export interface KeptLessons {
  /** Newest first. */
  readonly lessons: readonly Lesson[];
  /** The bytes of their pictures by key; those that can't be read are absent. */
  readonly blobs: ReadonlyMap<string, Blob>;
}

/** What is kept after a change. */
export interface ChangedLesson {
  /** Undefined where it is not kept any more. */
  readonly lesson: Lesson | undefined;
  /** Keys of pictures that found no room. */
  readonly missing: readonly string[];
}

/** A picture with the key of its bytes. */
export interface KeyedPicture {
  readonly key: string;
  readonly picture: Picture;
}

/** A lesson whose last change is not kept yet. */
export interface UnfinishedLesson {
  readonly id: string;
  /** Undefined where it was removed. */
  readonly lesson: Lesson | undefined;
  /** When it was noted, in milliseconds since 1970. */
  readonly at: number;
}

export interface LessonPlace {
  /** Does what earlier pages noted when they went, forgets pictures that no lesson shows any more, then gives all lessons; rejects when the place can't be read. */
  readAll(): Promise<KeptLessons>;
  /** One lesson, or none. */
  read(id: string): Promise<KeptLessons>;
  /**
   * Changes what is kept of the lesson, whoever kept it, together with the bytes of these pictures; what `change` gives is kept instead,
   * and nothing for undefined. Called in a transaction, so two tabs never overwrite each other. In the order of the calls. Rejects when not
   * even the text can be written.
   */
  change(
    id: string,
    change: (kept: Lesson | undefined) => Lesson | undefined,
    pictures: readonly KeyedPicture[],
  ): Promise<ChangedLesson>;
  /** Notes these, as the page may go before they are kept: the next page does it. Over when it returns. Bytes of pictures are not noted. */
  noteUnfinished(lessons: readonly UnfinishedLesson[]): void;
  /** Calls back with the id when another tab has changed a lesson; returns how to stop listening. */
  onChange(listener: (id: string) => void): () => void;
}

/** What is kept after a note was found: the later of both. A lesson that is gone meanwhile comes back, so that nothing is lost. */
export function afterNote(kept: Lesson | undefined, { lesson, at }: UnfinishedLesson): Lesson | undefined {
  if (kept === undefined) return lesson;
  return kept.updatedAt > (lesson?.updatedAt ?? at) ? kept : lesson;
}

/** The newest first; of the same age by id, so that the order is the same in every tab. */
export function inLessonOrder(lessons: readonly Lesson[]): readonly Lesson[] {
  return [...lessons].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1));
}

/** Keys of every picture that a lesson shows. */
export function keysOf({ cards, results }: Lesson): readonly string[] {
  const taught = cards.flatMap(({ pictures }) => pictures.map(({ key }) => key));
  return [...new Set([...taught, ...results.flatMap(({ rows }) => rows.map(({ key }) => key))])];
}
