// What lessons and results are called, in the words of the page.
import { correctionsId } from "#chat/teach/chat-examples.ts";
import { lessonTitle, type Lesson, type TestRow } from "#chat/teach/lesson.ts";
import type { TeachTexts } from "./teach-texts.ts";

export function titleOf(t: TeachTexts, lesson: Pick<Lesson, "id" | "name" | "cards">): string {
  if (lesson.id === correctionsId && lesson.name.trim() === "") return t.corrections;
  return lessonTitle(lesson) || t.untitled;
}

interface Score {
  readonly right: number;
  readonly before: number;
  readonly of: number;
}

export function scoreOf(rows: readonly TestRow[]): Score {
  return {
    right: rows.filter(({ afterRight }) => afterRight).length,
    before: rows.filter(({ beforeRight }) => beforeRight).length,
    of: rows.length,
  };
}
