// Answers of chats as examples: a correction ("it should have said …"), or a good answer to be kept as it is. One answer has one example, and
// one picture one answer to a question: what is said last counts.
import type { Picture, Turn } from "#chat/conversation/conversation.ts";
import type { LessonKeeper } from "./lesson-keeper.ts";
import {
  addCard,
  addPictures,
  questionOf,
  removeCard,
  removePicture,
  type Card,
  type Lesson,
  type LessonPicture,
} from "./lesson.ts";
import type { LessonsState } from "./lessons-state.ts";

export interface ChatExample {
  /** Id of the answer. */
  readonly answerId: string;
  readonly picture: Picture;
  readonly question: string;
  readonly answer: string;
}

/** Where an answer's example is kept. */
export interface KeptExample {
  readonly lesson: Lesson;
  readonly card: Card;
  readonly picture: LessonPicture;
}

/** The lesson that takes what is corrected in chats, unless another one is chosen. */
export const correctionsId = "corrections";

/** The example that is kept of an answer; undefined where none is. */
export function exampleOf({ lessons }: Pick<LessonsState, "lessons">, answerId: string): KeptExample | undefined {
  for (const lesson of lessons ?? [])
    for (const card of lesson.cards)
      for (const picture of card.pictures) if (picture.from === answerId) return { lesson, card, picture };
  return undefined;
}

/** What an answer was asked: the question, and the one picture that it is about. */
export type AskedOf =
  | { readonly ok: true; readonly question: string; readonly picture: Picture }
  /** An example has one picture. */
  | { readonly ok: false; readonly why: "no-picture" | "several-pictures" };

/** Looks for the picture in the question, then in the turns before it. */
export function askedOf(turns: readonly Turn[], answerId: string): AskedOf {
  const index = turns.findIndex(({ id }) => id === answerId);
  const before = turns.slice(0, index).filter((turn) => turn.role === "user");
  const question = before.at(-1)?.text ?? "";
  const pictures = before.findLast((turn) => turn.pictures.length > 0)?.pictures ?? [];
  const [picture] = pictures;
  if (picture === undefined) return { ok: false, why: "no-picture" };
  return pictures.length > 1 ? { ok: false, why: "several-pictures" } : { ok: true, question, picture };
}

/** The lessons that an example with this question fits: those that ask the same, and free ones. */
export function lessonsFor({ lessons }: Pick<LessonsState, "lessons">, question: string): readonly Lesson[] {
  return (lessons ?? []).filter((lesson) => lesson.kind === "free" || sameText(lesson.question, question));
}

/** Keeps the example in place of what was kept of the same answer; ids are for what is begun. */
export function keepExample(
  keeper: LessonKeeper,
  { answerId, picture, question, answer }: ChatExample,
  { lessonId, key, cardId, pictureId, at }: Readonly<Record<"lessonId" | "key" | "cardId" | "pictureId", string>> & { readonly at: number }, // prettier-ignore
): void {
  forgetExample(keeper, answerId);
  keeper.withdrawUndo();
  const held: LessonPicture = { id: pictureId, name: picture.name, key, from: answerId };
  const begun: Lesson = { id: lessonId, name: "", kind: "free", question: "", cards: [], results: [], createdAt: at, updatedAt: at }; // prettier-ignore
  keeper.apply(lessonId, (lesson) => withExample(lesson ?? begun, cardId, held, question, answer), [{ key, picture }]);
}

/** Takes an answer's example out again, which can be undone. */
export function forgetExample(keeper: LessonKeeper, answerId: string): void {
  const kept = exampleOf(keeper.cell.get(), answerId);
  if (kept === undefined) return;
  const { lesson, card, picture } = kept;
  const pictures = keeper.picturesIn(lesson, picture.key);
  keeper.apply(lesson.id, (now) => now && withoutEmpty(removePicture(now, picture.id), card.id));
  const bringBack = (now: Lesson): Lesson => addPictures(addCard(now, { ...card, pictures: [] }), card.id, [picture]);
  keeper.offerUndo("example", () => keeper.apply(lesson.id, (now) => now && bringBack(now), pictures));
}

const withoutEmpty = (lesson: Lesson, cardId: string): Lesson =>
  lesson.cards.some(({ id, pictures }) => id === cardId && pictures.length === 0) ? removeCard(lesson, cardId) : lesson;

const sameText = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

/** The picture in the card with that question and answer, which is begun where there is none, and in no other with that question. */
function withExample(
  lesson: Lesson,
  newCardId: string,
  picture: LessonPicture,
  question: string,
  answer: string,
): Lesson {
  const asksTheSame = (card: Card): boolean => sameText(questionOf(lesson, card), question);
  const isHere = ({ key }: LessonPicture): boolean => key === picture.key;
  const cards = lesson.cards.flatMap((card) => {
    if (!asksTheSame(card) || !card.pictures.some(isHere)) return [card];
    const rest = card.pictures.filter((other) => !isHere(other));
    return rest.length === 0 ? [] : [{ ...card, pictures: rest }];
  });
  const there = cards.find((card) => asksTheSame(card) && sameText(card.answer, answer));
  const own = lesson.kind === "free" ? question.trim() : "";
  const card = there ?? { id: newCardId, answer: answer.trim(), question: own, pictures: [] };
  return addPictures(addCard({ ...lesson, cards }, card), card.id, [picture]);
}
