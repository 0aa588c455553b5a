// The lessons: what someone has collected for a model to learn, kept in this browser, and everything that changes it. Knows no page and no
// training.
import type { Picture } from "#chat/conversation/conversation.ts";
import type { Observable } from "#chat/observable.ts";
import type { OpenedPicture } from "#chat/pictures/pictures.web.ts";
import { correctionsId, forgetExample, keepExample, type ChatExample } from "./chat-examples.ts";
import { giveAddress, giveFiles, givePictures, type Giving } from "./give-pictures.ts";
import type { GivenGroup } from "./given-pictures.ts";
import { createLessonKeeper, type LessonKeeper } from "./lesson-keeper.ts";
import type { KeyedPicture, LessonPlace } from "./lesson-place.ts";
import {
  addCard,
  addPictures,
  addResult,
  findPicture,
  movePicture,
  newCard,
  removeCard,
  removePicture,
  type Lesson,
  type LessonKind,
  type LessonResult,
} from "./lesson.ts";
import type { LessonsState } from "./lessons-state.ts";

export interface Lessons extends Observable<LessonsState> {
  /** Reads what is kept, once; the page shows it when it has come. */
  open(): Promise<void>;
  /** For a page that may go now: the next one keeps what is not kept yet. */
  noteUnfinished(): void;
  /** Begins a lesson with the answers as empty cards, and gives its id. */
  create(kind: LessonKind, question: string, answers: readonly string[]): string;
  /** A whole lesson from elsewhere, with its pictures. */
  add(lesson: Lesson, pictures: readonly KeyedPicture[]): void;
  change(lessonId: string, change: (lesson: Lesson) => Lesson): void;
  /** The lesson's pictures with their bytes. */
  picturesIn(lesson: Lesson): readonly KeyedPicture[];
  addCard(lessonId: string): string;
  removeCard(lessonId: string, cardId: string): void;
  /** Opens the files one after another and adds them to the card, or to the cards that folders are named after. */
  give(lessonId: string, groups: readonly GivenGroup[], cardId?: string): Promise<void>;
  /** Fetches the picture at the address, likewise. */
  giveAddress(lessonId: string, address: string, cardId?: string): Promise<void>;
  /** Adds pictures that are open already. */
  addPictures(lessonId: string, cardId: string, pictures: readonly Picture[]): Promise<void>;
  removePicture(lessonId: string, pictureId: string): void;
  movePicture(lessonId: string, pictureId: string, cardId: string): void;
  remove(lessonId: string): void;
  undo(): void;
  dismiss(what: "undo" | "given"): void;
  /** Keeps an answer's example in place of the one that was kept of it or of the same picture and question. */
  keepExample(example: ChatExample, lessonId?: string): Promise<void>;
  /** Takes an answer's example out again. */
  forgetExample(answerId: string): void;
  addResult(lessonId: string, result: LessonResult): void;
}

export interface LessonsOptions {
  readonly place: LessonPlace;
  readonly openPicture: (file: Blob, name: string) => Promise<OpenedPicture>;
  readonly fetchPicture: (address: string) => Promise<OpenedPicture>;
  /** The same for the same bytes; undefined where the browser computes none. */
  readonly hash: (blob: Blob) => Promise<string | undefined>;
  readonly newId: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createLessons({ place, openPicture, fetchPicture, hash, newId, now }: LessonsOptions): Lessons {
  const keeper = createLessonKeeper(place, now);
  const { cell } = keeper;
  const apply: LessonKeeper["apply"] = (id, edit, pictures) => keeper.apply(id, edit, pictures);
  const find = (id: string): Lesson | undefined => keeper.find(id);
  const keyOf = async (picture: Picture): Promise<string> => (await hash(picture.blob)) ?? picture.id;
  const giving: Giving = { keeper, openPicture, fetchPicture, keyOf, newId };
  const change: Lessons["change"] = (id, edit) => apply(id, (lesson) => lesson && edit(lesson));
  return {
    get: () => cell.get(),
    subscribe: (listener) => cell.subscribe(listener),
    open: () => keeper.open(),
    noteUnfinished: () => keeper.noteUnfinished(),
    create(kind, question, answers) {
      const id = newId();
      const cards = answers.map((answer) => newCard(newId(), answer));
      const at = now();
      apply(id, () => ({ id, name: "", kind, question, cards, results: [], createdAt: at, updatedAt: at }));
      return id;
    },
    add: (lesson, pictures) => apply(lesson.id, () => lesson, pictures),
    change,
    picturesIn: (lesson) => keeper.picturesIn(lesson),
    addCard(lessonId) {
      const card = newCard(newId());
      change(lessonId, (lesson) => addCard(lesson, card));
      return card.id;
    },
    removeCard(lessonId, cardId) {
      const lesson = find(lessonId);
      const index = lesson?.cards.findIndex(({ id }) => id === cardId) ?? -1;
      const card = lesson?.cards[index];
      if (card === undefined) return;
      const pictures = keeper.picturesIn(lesson);
      change(lessonId, (kept) => removeCard(kept, cardId));
      if (card.pictures.length === 0 && card.answer.trim() === "") return;
      keeper.offerUndo("card", () => apply(lessonId, (kept) => kept && addCard(kept, card, index), pictures));
    },
    give: (lessonId, groups, cardId) => giveFiles(giving, lessonId, groups, cardId),
    giveAddress: (lessonId, address, cardId) => giveAddress(giving, lessonId, address, cardId),
    addPictures: (lessonId, cardId, pictures) => givePictures(giving, lessonId, cardId, pictures),
    removePicture(lessonId, pictureId) {
      const lesson = find(lessonId);
      const found = lesson && findPicture(lesson, pictureId);
      if (found === undefined) return;
      const { card, picture } = found;
      const pictures = keeper.picturesIn(lesson, picture.key);
      change(lessonId, (kept) => removePicture(kept, pictureId));
      keeper.offerUndo("picture", () =>
        apply(lessonId, (kept) => kept && addPictures(kept, card.id, [picture]), pictures),
      );
    },
    movePicture: (lessonId, pictureId, cardId) => change(lessonId, (kept) => movePicture(kept, pictureId, cardId)),
    remove(lessonId) {
      const lesson = find(lessonId);
      if (lesson === undefined) return;
      const pictures = keeper.picturesIn(lesson);
      apply(lessonId, () => undefined);
      keeper.offerUndo("lesson", () => apply(lessonId, (kept) => kept ?? lesson, pictures));
    },
    undo: () => keeper.undo(),
    dismiss(what) {
      if (what === "undo") keeper.withdrawUndo();
      else cell.update((state) => ({ ...state, given: undefined }));
    },
    async keepExample(example, lessonId = correctionsId) {
      await keeper.open();
      const key = await keyOf(example.picture);
      keepExample(keeper, example, { lessonId, key, cardId: newId(), pictureId: newId(), at: now() });
    },
    forgetExample: (answerId) => forgetExample(keeper, answerId),
    addResult: (lessonId, result) => change(lessonId, (kept) => addResult(kept, result)),
  };
}
