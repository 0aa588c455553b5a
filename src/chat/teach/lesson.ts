// What someone teaches a model: cards, each with a question, the answer wanted and its pictures. Pure data; every function returns a new
// lesson. Knows no storage and no training; the pictures' bytes stand elsewhere, under their keys.

/** "things" have names, "classes" sort pictures, "free" cards have a question each. */
export const lessonKinds = ["things", "classes", "free"] as const;
export type LessonKind = (typeof lessonKinds)[number];

export interface LessonPicture {
  readonly id: string;
  readonly name: string;
  /** Of its bytes: the same for the same bytes. */
  readonly key: string;
  /** Id of the answer in a chat that it corrects or keeps. */
  readonly from?: string | undefined;
}

export interface Card {
  readonly id: string;
  /** What is to be answered: a name, a class, or a sentence. */
  readonly answer: string;
  /** Of "free" lessons only; "" elsewhere, where the lesson's own question is asked. */
  readonly question: string;
  readonly pictures: readonly LessonPicture[];
}

/** One held-out picture, asked before and after the teaching. */
export interface TestRow {
  /** Of the picture's bytes; "" where it is gone from the lesson. */
  readonly key: string;
  readonly asked: string;
  readonly wanted: string;
  readonly before: string;
  readonly beforeRight: boolean;
  readonly after: string;
  readonly afterRight: boolean;
}

/** A step of the teaching: how wrong the model was about what it learns, and now and then about what was set aside to tell when it is enough. */
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
  readonly heldOut?: number | undefined;
}

/** What a teaching made. */
export interface LessonResult {
  /** Of the adapter among the stored models. */
  readonly adapterId: string;
  readonly adapterName: string;
  readonly modelName: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly seconds: number;
  readonly pictures: number;
  /** Ended by the user before its last step. */
  readonly stopped: boolean;
  /** Whether the test pictures also told when to stop; absent where others did. */
  readonly chosenByTest?: boolean | undefined;
  readonly curve: readonly LossPoint[];
  readonly rows: readonly TestRow[];
}

export interface Lesson {
  readonly id: string;
  /** "" until it is named; the page then shows what it teaches. */
  readonly name: string;
  readonly kind: LessonKind;
  readonly question: string;
  readonly cards: readonly Card[];
  /** Newest first. */
  readonly results: readonly LessonResult[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Older results are forgotten; their adapters stay among the models. */
const mostResults = 5;

/** What is asked about the card's pictures. */
export function questionOf(lesson: Pick<Lesson, "kind" | "question">, card: Pick<Card, "question">): string {
  return (lesson.kind === "free" ? card.question : lesson.question).trim();
}

export const picturesOf = (lesson: Lesson): readonly LessonPicture[] =>
  lesson.cards.flatMap(({ pictures }) => pictures);

/** What a lesson is called: its name, else what it teaches; "" where it teaches nothing yet. */
export function lessonTitle({ name, cards }: Pick<Lesson, "name" | "cards">): string {
  if (name.trim() !== "") return name.trim();
  const answers = [...new Set(cards.map(({ answer }) => answer.trim()).filter((answer) => answer !== ""))];
  const words = answers.slice(0, 3).join(", ") + (answers.length > 3 ? ", …" : "");
  return words.length <= 60 ? words : `${words.slice(0, 59)}…`;
}

export const newCard = (id: string, answer = ""): Card => ({ id, answer, question: "", pictures: [] });

export function changeCard(lesson: Lesson, cardId: string, change: (card: Card) => Card): Lesson {
  return { ...lesson, cards: lesson.cards.map((card) => (card.id === cardId ? change(card) : card)) };
}

/** At the place `index`, which is the end by default; one that is there already stays as it is. */
export function addCard(lesson: Lesson, card: Card, index = lesson.cards.length): Lesson {
  if (lesson.cards.some(({ id }) => id === card.id)) return lesson;
  return { ...lesson, cards: [...lesson.cards.slice(0, index), card, ...lesson.cards.slice(index)] };
}

export function removeCard(lesson: Lesson, cardId: string): Lesson {
  return { ...lesson, cards: lesson.cards.filter(({ id }) => id !== cardId) };
}

/** Adds those that the card does not have yet. A card that is gone takes none. */
export function addPictures(lesson: Lesson, cardId: string, pictures: readonly LessonPicture[]): Lesson {
  return changeCard(lesson, cardId, (card) => {
    const held = new Set(card.pictures.map(({ key }) => key));
    const added = pictures.filter(({ key }) => !held.has(key) && held.add(key));
    return added.length === 0 ? card : { ...card, pictures: [...card.pictures, ...added] };
  });
}

export function removePicture(lesson: Lesson, pictureId: string): Lesson {
  return {
    ...lesson,
    cards: lesson.cards.map((card) => ({ ...card, pictures: card.pictures.filter(({ id }) => id !== pictureId) })),
  };
}

/** The card with that picture, and the picture. */
export function findPicture(
  lesson: Lesson,
  pictureId: string,
): { readonly card: Card; readonly picture: LessonPicture } | undefined {
  for (const card of lesson.cards) {
    const picture = card.pictures.find(({ id }) => id === pictureId);
    if (picture !== undefined) return { card, picture };
  }
  return undefined;
}

export function movePicture(lesson: Lesson, pictureId: string, cardId: string): Lesson {
  const found = findPicture(lesson, pictureId);
  if (found === undefined || !lesson.cards.some(({ id }) => id === cardId)) return lesson;
  return addPictures(removePicture(lesson, pictureId), cardId, [found.picture]);
}

/** Another card of the lesson that asks the same about the same bytes. */
export function cardWithSame(lesson: Lesson, cardId: string, key: string): Card | undefined {
  const own = lesson.cards.find(({ id }) => id === cardId);
  if (own === undefined) return undefined;
  const asked = questionOf(lesson, own).toLowerCase();
  return lesson.cards.find(
    (card) =>
      card.id !== cardId &&
      questionOf(lesson, card).toLowerCase() === asked &&
      card.pictures.some((picture) => picture.key === key),
  );
}

export function addResult(lesson: Lesson, result: LessonResult): Lesson {
  const others = lesson.results.filter(({ adapterId }) => adapterId !== result.adapterId);
  return { ...lesson, results: [result, ...others].slice(0, mostResults) };
}

export function removeResult(lesson: Lesson, adapterId: string): Lesson {
  return { ...lesson, results: lesson.results.filter((result) => result.adapterId !== adapterId) };
}
