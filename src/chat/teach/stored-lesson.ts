// The form in which lessons are stored: its schema, its versions, and the parsing of what was stored. Knows no database.
import * as v from "valibot";
import { lessonKinds, type Lesson } from "./lesson.ts";

const count = v.pipe(v.number(), v.minValue(0));

const Picture = v.object({ id: v.string(), name: v.string(), key: v.string(), from: v.optional(v.string()) });
const Row = v.object({
  key: v.string(),
  asked: v.string(),
  wanted: v.string(),
  before: v.string(),
  beforeRight: v.boolean(),
  after: v.string(),
  afterRight: v.boolean(),
});
const Result = v.object({
  adapterId: v.string(),
  adapterName: v.string(),
  modelName: v.string(),
  at: v.number(),
  seconds: count,
  pictures: count,
  stopped: v.boolean(),
  chosenByTest: v.optional(v.boolean()),
  curve: v.array(v.object({ step: count, loss: v.number(), heldOut: v.optional(v.number()) })),
  rows: v.array(Row),
});
const StoredLesson = v.object({
  version: v.literal(1),
  id: v.string(),
  name: v.string(),
  kind: v.picklist(lessonKinds),
  question: v.string(),
  cards: v.array(v.object({ id: v.string(), answer: v.string(), question: v.string(), pictures: v.array(Picture) })),
  results: v.array(Result),
  createdAt: v.number(),
  updatedAt: v.number(),
});

export function toStored(lesson: Lesson): Lesson & { readonly version: 1 } {
  return { ...lesson, version: 1 };
}

/** Undefined for what is no lesson, or one that a later version of the app has stored. */
export function parseLesson(value: unknown): Lesson | undefined {
  const parsed = v.safeParse(StoredLesson, value);
  if (!parsed.success) return undefined;
  const { id, name, kind, question, cards, results, createdAt, updatedAt } = parsed.output;
  return { id, name, kind, question, cards, results, createdAt, updatedAt };
}
