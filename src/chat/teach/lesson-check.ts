// Whether a lesson has what a teaching needs, and what it lacks; what the model says to it is asked later. Pure.
import { questionOf, type Card, type Lesson } from "./lesson.ts";

/** Per thing that is taught. */
const picturesNeeded = { least: 3, good: 10 } as const;

/** What keeps a lesson from being taught, or from being taught well. */
export type LessonProblem =
  /** Nothing has both an answer and pictures. */
  | { readonly kind: "empty" }
  /** Cards with pictures and without an answer or a question. */
  | { readonly kind: "no-answer" | "no-question"; readonly count: number }
  /** Cards with fewer pictures than are needed. */
  | { readonly kind: "too-few"; readonly answers: readonly string[] }
  /** All cards have one answer to one question. */
  | { readonly kind: "one-class"; readonly answer: string }
  /** Pictures with several answers to one question. */
  | { readonly kind: "two-answers"; readonly pictures: number; readonly answers: readonly [string, string] }
  /** Cards with many times the pictures of others. */
  | { readonly kind: "uneven"; readonly most: string; readonly least: string }
  /** No card has two pictures, so that one could be held out. */
  | { readonly kind: "untested" }
  /** Enough to begin with, but more would do better. */
  | { readonly kind: "few"; readonly answers: readonly string[] };

/** These let a lesson be taught all the same. */
const advice: readonly LessonProblem["kind"][] = ["uneven", "untested", "few"];

export interface LessonCheck {
  readonly problems: readonly LessonProblem[];
  readonly ready: boolean;
}

const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();

const isTaught = (lesson: Lesson, card: Card): boolean =>
  card.answer.trim() !== "" && questionOf(lesson, card) !== "" && card.pictures.length > 0;

/** Cards that have pictures count; one without any is no problem, it is not taught. */
export function checkLesson(lesson: Lesson): LessonCheck {
  const filled = lesson.cards.filter(({ pictures }) => pictures.length > 0);
  const unasked = filled.filter((card) => questionOf(lesson, card) === "");
  const unanswered = filled.filter(({ answer }) => answer.trim() === "");
  const taught = filled.filter((card) => isTaught(lesson, card));
  const problems: LessonProblem[] = [];
  if (unasked.length > 0) problems.push({ kind: "no-question", count: lesson.kind === "free" ? unasked.length : 1 });
  if (unanswered.length > 0) problems.push({ kind: "no-answer", count: unanswered.length });
  if (taught.length === 0) {
    if (problems.length === 0) problems.push({ kind: "empty" });
    return { problems, ready: false };
  }
  // A correction is one picture, and may stand alone, although nothing can test it then.
  const tooFew = lesson.kind === "free" ? [] : taught.filter(({ pictures }) => pictures.length < picturesNeeded.least);
  if (tooFew.length > 0) problems.push({ kind: "too-few", answers: tooFew.map(({ answer }) => answer.trim()) });
  const [first] = taught;
  const only = first !== undefined && taught.every((card) => same(card.answer, first.answer));
  if (only && unanswered.length === 0 && lesson.kind !== "free")
    problems.push({ kind: "one-class", answer: first.answer.trim() });
  const twice = findTwoAnswers(lesson, taught);
  if (twice !== undefined) problems.push(twice);
  if (problems.length === 0) problems.push(...adviceFor(lesson, taught));
  return { problems, ready: problems.every(({ kind }) => advice.includes(kind)) };
}

function adviceFor(lesson: Lesson, taught: readonly Card[]): LessonProblem[] {
  if (lesson.kind === "free") return taught.some(({ pictures }) => pictures.length > 1) ? [] : [{ kind: "untested" }];
  const bySize = [...taught].sort((a, b) => a.pictures.length - b.pictures.length);
  const [least, most] = [bySize[0], bySize.at(-1)];
  if (least !== undefined && most !== undefined && most.pictures.length > 4 * least.pictures.length)
    return [{ kind: "uneven", most: most.answer.trim(), least: least.answer.trim() }];
  const few = taught.filter(({ pictures }) => pictures.length < picturesNeeded.good);
  return few.length === 0 ? [] : [{ kind: "few", answers: few.map(({ answer }) => answer.trim()) }];
}

function findTwoAnswers(lesson: Lesson, taught: readonly Card[]): LessonProblem | undefined {
  const answerOf = new Map<string, string>();
  const twice = new Set<string>();
  let answers: readonly [string, string] | undefined;
  for (const card of taught) {
    for (const { key } of card.pictures) {
      const place = JSON.stringify([key, questionOf(lesson, card).toLowerCase()]);
      const before = answerOf.get(place);
      answerOf.set(place, card.answer.trim());
      if (before === undefined || same(before, card.answer)) continue;
      twice.add(key);
      answers ??= [before, card.answer.trim()];
    }
  }
  return answers && { kind: "two-answers", pictures: twice.size, answers };
}

/** One picture with what is to be answered about it. */
export interface Example {
  readonly pictureId: string;
  readonly key: string;
  readonly question: string;
  readonly answer: string;
}

/** What is taught, in the order of the cards. */
export function examplesOf(lesson: Lesson): readonly Example[] {
  return lesson.cards
    .filter((card) => isTaught(lesson, card))
    .flatMap((card) =>
      card.pictures.map(({ id, key }) => ({
        pictureId: id,
        key,
        question: questionOf(lesson, card),
        answer: card.answer.trim(),
      })),
    );
}
