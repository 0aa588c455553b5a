// Shows and keeps lessons: every change is a function that is applied to what the page shows at once, and to what is kept in its turn; so two
// tabs work on one lesson, and nothing waits for a disk. What can't be kept stays on the page, which says so, and is tried again.
import { createCell, type Cell } from "#chat/observable.ts";
import { isFull } from "#chat/persistence/persistence.ts";
import { inLessonOrder, type KeyedPicture, type LessonPlace } from "./lesson-place.ts";
import { picturesOf, type Lesson } from "./lesson.ts";
import type { LessonsState } from "./lessons-state.ts";

/** Gets undefined where the lesson is not there; gives undefined to leave it so, or to remove it. Is called several times. */
type LessonChange = (lesson: Lesson | undefined) => Lesson | undefined;

export interface LessonKeeper {
  readonly cell: Cell<LessonsState>;
  /** Reads what is kept, once. */
  open(): Promise<void>;
  find(id: string): Lesson | undefined;
  /** Shows the change, and keeps it with the bytes of these pictures. */
  apply(id: string, change: LessonChange, pictures?: readonly KeyedPicture[]): void;
  /** For a page that may go now: notes every lesson whose last change is not kept. Over when it returns. */
  noteUnfinished(): void;
  /** Whether the bytes of this key are here, and found room where they are kept. */
  isKept(key: string): boolean;
  /** The lesson's pictures with their bytes; with `key` that one. */
  picturesIn(lesson: Lesson | undefined, key?: string): KeyedPicture[];
  /** Offers to bring back what was just taken away. */
  offerUndo(what: LessonsState["undo"], undo: () => void): void;
  undo(): void;
  withdrawUndo(): void;
}

/** Longer than most functions: what a person can do with lessons, over one list of them and one undo. */
export function createLessonKeeper(place: LessonPlace, now: () => number): LessonKeeper {
  const cell = createCell<LessonsState>({
    lessons: undefined,
    blobs: new Map(),
    opening: new Map(),
    given: undefined,
    unsaved: undefined,
    undo: undefined,
  });
  let reading: Promise<void> | undefined;
  let bringBack: (() => void) | undefined;
  /** How many changes of a lesson are not kept yet: an older state must not replace a newer one on the page. */
  const pending = new Map<string, number>();
  /** Lessons that another tab has changed meanwhile. */
  const outdated = new Set<string>();
  /** Lessons whose last change could not be kept: the next one writes them whole. */
  const unkept = new Set<string>();
  const withoutRoom = new Set<string>();

  const find = (id: string): Lesson | undefined => cell.get().lessons?.find((lesson) => lesson.id === id);
  const show = (id: string, lesson: Lesson | undefined): void =>
    cell.update((state) => {
      const others = (state.lessons ?? []).filter((other) => other.id !== id);
      return { ...state, lessons: inLessonOrder(lesson === undefined ? others : [...others, lesson]) };
    });
  const showBlobs = (blobs: Iterable<readonly [string, Blob]>): void =>
    cell.update((state) => ({ ...state, blobs: new Map([...blobs, ...state.blobs]) }));
  const noteUnsaved = (error?: unknown): void => {
    const cause = error === undefined || isFull(error) ? "full" : "blocked";
    const shown = new Set((cell.get().lessons ?? []).flatMap(picturesOf).map(({ key }) => key));
    for (const key of withoutRoom) if (!shown.has(key)) withoutRoom.delete(key);
    const [pictures, lessons] = [withoutRoom.size, unkept.size];
    cell.update((state) => ({
      ...state,
      unsaved: pictures + lessons === 0 ? undefined : { cause, pictures, lessons },
    }));
  };
  const picturesIn: LessonKeeper["picturesIn"] = (lesson, only) =>
    (lesson === undefined ? [] : picturesOf(lesson)).flatMap(({ id, key, name }) => {
      const blob = cell.get().blobs.get(key);
      return blob === undefined || (only !== undefined && only !== key) ? [] : [{ key, picture: { id, name, blob } }];
    });

  const reread = async (id: string): Promise<void> => {
    outdated.delete(id);
    const { lessons, blobs } = await place.read(id);
    if (pending.has(id)) return void outdated.add(id);
    if (unkept.has(id)) return;
    showBlobs(blobs);
    show(id, lessons[0]);
  };
  const settle = (id: string): void => {
    const left = (pending.get(id) ?? 1) - 1;
    if (left > 0) return void pending.set(id, left);
    pending.delete(id);
    if (outdated.has(id)) reread(id).catch(warn);
  };
  place.onChange((id) => {
    if (cell.get().lessons === undefined) return;
    if (pending.has(id)) outdated.add(id);
    else reread(id).catch(warn);
  });

  const withdrawUndo = (): void => {
    bringBack = undefined;
    cell.update((state) => ({ ...state, undo: undefined }));
  };

  return {
    cell,
    find,
    picturesIn,
    isKept: (key) => cell.get().blobs.has(key) && !withoutRoom.has(key),
    noteUnfinished() {
      const ids = new Set([...pending.keys(), ...unkept]);
      place.noteUnfinished([...ids].map((id) => ({ id, lesson: find(id), at: now() })));
    },
    open() {
      reading ??= place.readAll().then(
        ({ lessons, blobs }) => {
          showBlobs(blobs);
          const begun = cell.get().lessons ?? [];
          const known = new Set(begun.map(({ id }) => id));
          const all = [...begun, ...lessons.filter(({ id }) => !known.has(id))];
          cell.update((state) => ({ ...state, lessons: inLessonOrder(all) }));
        },
        (error: unknown) => {
          warn(error);
          const unsaved = { cause: "blocked", pictures: 0, lessons: 0 } as const;
          cell.update((state) => ({ ...state, lessons: state.lessons ?? [], unsaved }));
        },
      );
      return reading;
    },
    apply(id, change, pictures = []) {
      const at = now();
      const dated: LessonChange = (lesson) => {
        const changed = change(lesson);
        return changed === undefined || changed === lesson ? changed : { ...changed, updatedAt: at };
      };
      const before = find(id);
      const after = dated(before);
      if (after === before && pictures.length === 0) return;
      showBlobs(pictures.map(({ key, picture }) => [key, picture.blob]));
      show(id, after);
      pending.set(id, (pending.get(id) ?? 0) + 1);
      const whole = unkept.has(id);
      const bytes = whole ? picturesIn(after) : pictures;
      place
        .change(id, (kept) => (whole ? after : dated(kept)), bytes)
        .then(
          ({ missing }) => {
            unkept.delete(id);
            for (const { key } of bytes) withoutRoom.delete(key);
            for (const key of missing) withoutRoom.add(key);
            noteUnsaved();
          },
          (error: unknown) => {
            warn(error);
            unkept.add(id);
            noteUnsaved(error);
          },
        )
        .finally(() => settle(id));
    },
    offerUndo(what, undo) {
      bringBack = undo;
      cell.update((state) => ({ ...state, undo: what }));
    },
    undo() {
      const undo = bringBack;
      withdrawUndo();
      undo?.();
    },
    withdrawUndo,
  };
}

const warn = (error: unknown): void => console.warn("The lessons could not be kept or read:", error);
