// The state of the lessons that the page shows. Types only.
import type { PictureProblem } from "#chat/pictures/pictures.web.ts";
import type { Lesson } from "./lesson.ts";

/** Why given files did not become pictures of a card. */
export type GivenTrouble =
  | { readonly kind: "same"; readonly count: number }
  /** They are in another card that has the same question. */
  | { readonly kind: "other-card"; readonly count: number; readonly answer: string }
  | { readonly kind: "unusable"; readonly problem: PictureProblem; readonly names: readonly string[] };

/** What became of the files that were given last. */
export interface GivenOutcome {
  readonly lessonId: string;
  readonly added: number;
  readonly troubles: readonly GivenTrouble[];
}

/** What is not kept, and gone after a reload: pictures without room, and lessons that could not be written. */
export interface UnsavedLessons {
  readonly cause: "full" | "blocked";
  readonly pictures: number;
  readonly lessons: number;
}

export interface LessonsState {
  /** Newest first; undefined until they have been read. */
  readonly lessons: readonly Lesson[] | undefined;
  /** The pictures' bytes by key. */
  readonly blobs: ReadonlyMap<string, Blob>;
  /** How many files are being opened, by the ids of their cards. */
  readonly opening: ReadonlyMap<string, number>;
  readonly given: GivenOutcome | undefined;
  readonly unsaved: UnsavedLessons | undefined;
  /** What was taken away last and can be brought back. */
  readonly undo: "lesson" | "card" | "picture" | "example" | undefined;
}
