// A lesson out of conversations about pictures: what asks and answers the same becomes one card. Pure, but for the hashes.
import type { Conversation } from "#chat/conversation/conversation.ts";
import type { KeyedPicture } from "./lesson-place.ts";
import { newCard, type Card, type Lesson, type LessonPicture } from "./lesson.ts";

export interface LessonFromFile {
  readonly lesson: Lesson;
  readonly pictures: readonly KeyedPicture[];
  /** Questions without a single picture or without an answer. */
  readonly leftOut: number;
}

interface SampleOptions {
  readonly name: string;
  readonly hash: (blob: Blob) => Promise<string | undefined>;
  readonly newId: () => string;
  readonly now: number;
}

/** Undefined where no conversation has a picture with a question and an answer. */
export async function toLesson(
  conversations: readonly Conversation[],
  { name, hash, newId, now }: SampleOptions,
): Promise<LessonFromFile | undefined> {
  const cards = new Map<string, Card>();
  const kept = new Map<string, KeyedPicture>();
  let leftOut = 0;
  for (const { turns } of conversations) {
    for (const [index, turn] of turns.entries()) {
      const answer = turns[index + 1];
      if (turn.role !== "user") continue;
      // Later questions of a conversation are about the picture of an earlier one.
      const shown = turns.slice(0, index + 1).findLast((one) => one.role === "user" && one.pictures.length > 0);
      const [picture, ...more] = shown?.role === "user" ? shown.pictures : [];
      const [asked, said] = [turn.text.trim(), answer?.text.trim() ?? ""];
      if (picture === undefined || more.length > 0 || asked === "" || said === "") {
        leftOut++;
        continue;
      }
      const key = (await hash(picture.blob)) ?? picture.id;
      const held: LessonPicture = { id: newId(), name: picture.name, key };
      kept.set(held.id, { key, picture: { ...picture, id: held.id } });
      const place = JSON.stringify([asked.toLowerCase(), said.toLowerCase()]);
      const card = cards.get(place) ?? { ...newCard(newId(), said), question: asked };
      if (card.pictures.some((other) => other.key === key)) continue;
      cards.set(place, { ...card, pictures: [...card.pictures, held] });
    }
  }
  const all = [...cards.values()];
  const [first] = all;
  if (first === undefined) return undefined;
  const oneQuestion = all.every(({ question }) => question.toLowerCase() === first.question.toLowerCase());
  const lesson: Lesson = {
    id: newId(),
    name,
    kind: oneQuestion ? "things" : "free",
    question: oneQuestion ? first.question : "",
    cards: oneQuestion ? all.map((card) => ({ ...card, question: "" })) : all,
    results: [],
    createdAt: now,
    updatedAt: now,
  };
  return { lesson, pictures: [...kept.values()], leftOut };
}
