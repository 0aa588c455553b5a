// Reads review files: a judge's words about two answers to each question, and the two scores that were read from them.
import * as v from "valibot";
import { parseJsonLines } from "./json-lines.ts";
import { problemSentence, type FileProblem } from "./problems.ts";

const Id = v.union([v.number(), v.string()]);
const Scores = v.pipe(v.array(v.number()), v.minLength(2));
const Line = v.looseObject({
  id: v.optional(Id),
  question_id: v.optional(Id),
  answer1_id: v.optional(Id),
  answer2_id: v.optional(Id),
  category: v.optional(v.string()),
  content: v.optional(v.string(), ""),
  tuple: v.optional(Scores),
  score: v.optional(Scores),
  swapped: v.optional(v.boolean(), false),
});

export interface Review {
  /** The question's; where the line has none, its own or its number. */
  readonly id: string;
  readonly category?: string | undefined;
  /** −1 and −1 where they could not be read. */
  readonly scores: readonly [reference: number, candidate: number];
  readonly answerIds: readonly [reference: string | undefined, candidate: string | undefined];
  readonly content: string;
  /** Whether the judge was shown the candidate first; the scores are in the usual order. */
  readonly swapped: boolean;
}

export interface ReviewFile {
  readonly name: string;
  readonly reviews: readonly Review[];
  readonly problems: readonly FileProblem[];
  readonly notes: readonly string[];
}

/** Whether both scores could be read. */
export const isRead = ({ scores: [reference, candidate] }: Pick<Review, "scores">): boolean =>
  reference !== -1 && candidate !== -1;

/** Parses review lines; throws a sentence where there are none. */
export function parseReviews(text: string, name: string): ReviewFile {
  const { rows, broken, cut } = parseJsonLines(text);
  const problems: FileProblem[] = [];
  if (cut) problems.push({ kind: "cut", file: name });
  if (broken.length > 0) problems.push({ kind: "broken", file: name, count: broken.length, first: broken[0] ?? 0 });
  const reviews = rows.flatMap(({ value, line }): Review[] => {
    const parsed = v.safeParse(Line, value);
    const scores = parsed.success ? (parsed.output.tuple ?? parsed.output.score) : undefined;
    if (!parsed.success || !scores) return [];
    const { question_id, id, answer1_id: first, answer2_id: second, category, content, swapped } = parsed.output;
    return [
      {
        id: String(question_id ?? id ?? line),
        category,
        scores: [scores[0] ?? 0, scores[1] ?? 0],
        answerIds: [textOf(first), textOf(second)],
        content,
        swapped,
      },
    ];
  });
  if (reviews.length === 0)
    throw new Error(
      `${name} holds no reviews: no line has two scores as its tuple. Reviews come from llava eval review.`,
    );
  if (reviews.length < rows.length)
    problems.push({ kind: "no-scores", file: name, count: rows.length - reviews.length });
  return { name, reviews, problems, notes: problems.map(problemSentence) };
}

const textOf = (id: string | number | undefined): string | undefined => (id === undefined ? undefined : String(id));
