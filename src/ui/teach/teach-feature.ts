// What the teaching view needs of the application. Types only.
import type { ReadonlySignal } from "@preact/signals";
import type { LessonFiles } from "#chat/teach/lesson-files.web.ts";
import type { Lessons } from "#chat/teach/lessons.ts";
import type { LessonsState } from "#chat/teach/lessons-state.ts";
import type { Pupil, Teaching, TeachingState } from "#chat/teach/teaching.ts";

export interface TeachFeature {
  readonly lessons: ReadonlySignal<LessonsState>;
  readonly actions: Omit<Lessons, "get" | "subscribe">;
  readonly files: LessonFiles;
  readonly teaching: ReadonlySignal<TeachingState>;
  readonly course: Omit<Teaching, "get" | "subscribe">;
  /** The models on this device that may be taught; the first is the one to begin with. */
  readonly pupils: ReadonlySignal<readonly Pupil[]>;
  /** What becomes of the model that was made. */
  readonly results: {
    readonly use: (adapterId: string) => void;
    readonly save: (adapterId: string, name: string) => Promise<"done" | "failed">;
    readonly remove: (adapterId: string) => Promise<"done" | "in-use">;
  };
}

/** What is given to the view by a drop or a paste on this element. */
export interface TakeGiven {
  /** Files with their paths. */
  readonly files: (files: Iterable<readonly [path: string, file: File]>, target: EventTarget | null) => void;
  /** A picture that was dragged out of another page. */
  readonly address: (address: string, target: EventTarget | null) => void;
}
