// LLaVA-Bench (in the wild) from a judge's reviews: the candidate's mean score in percent of the reference's, by category.
import * as v from "valibot";
import { count } from "#eval/files/answers.ts";
import { parseJsonLines } from "#eval/files/json-lines.ts";
import { round } from "#eval/files/python.ts";
import {
  groupsOf,
  inGroup,
  sizeOf,
  sumOf,
  type Figure,
  type GivenFile,
  type Item,
  type ModelOutcome,
  type Scorer,
} from "./outcome.ts";

const Scores = v.pipe(v.array(v.number()), v.minLength(2));
const Review = v.looseObject({
  id: v.optional(v.union([v.number(), v.string()])),
  question_id: v.optional(v.union([v.number(), v.string()])),
  category: v.optional(v.string()),
  tuple: v.optional(Scores),
  score: v.optional(Scores),
});

export const llavaBench: Scorer = {
  id: "llava-bench",
  title: "LLaVA-Bench",
  folders: ["llava-bench-in-the-wild"],
  repairs: ["a review whose scores could not be read (−1 and −1) is left out of the means"],
  load: () => Promise.resolve({ score: scoreReviews }),
};

/** Scores review lines; throws a sentence where there are none. */
export function scoreReviews({ name, text }: GivenFile, strict: boolean): ModelOutcome {
  const { rows, broken, cut } = parseJsonLines(text);
  const notes: string[] = [];
  if (cut) notes.push(`The last line of ${name} is cut off and left out.`);
  if (broken.length > 0)
    notes.push(
      `${count(broken.length, "line")} of ${name} ${broken.length === 1 ? "is" : "are"} no JSON and left out.`,
    );
  const all = rows.flatMap(({ value, line }): Item[] => {
    const parsed = v.safeParse(Review, value);
    const scores = parsed.success ? (parsed.output.tuple ?? parsed.output.score) : undefined;
    if (!parsed.success || !scores) return [];
    const { question_id, id, category } = parsed.output;
    const [reference = 0, candidate = 0] = scores;
    const groups = category === undefined ? [] : [category];
    return [{ id: String(question_id ?? id ?? line), groups, score: candidate / 10, values: [reference, candidate] }];
  });
  if (all.length === 0)
    throw new Error(
      `${name} holds no reviews: no line has two scores as its tuple. Reviews come from llava eval review.`,
    );
  if (all.length < rows.length) notes.push(`${count(rows.length - all.length, "line")} of ${name} ${rows.length - all.length === 1 ? "has" : "have"} no two scores and ${rows.length - all.length === 1 ? "is" : "are"} left out.`); // prettier-ignore
  const unread = all.filter(({ values }) => values?.[0] === -1 || values?.[1] === -1).length;
  if (unread > 0) notes.push(`The scores of ${count(unread, "review")} of ${all.length} could not be read from the judge's words: ${strict ? "left out" : "−1 counts in the means, as published"}.`); // prettier-ignore
  const items = strict ? all.filter(({ values }) => values?.[0] !== -1 && values?.[1] !== -1) : all;
  const categories = groupsOf(items).sort();
  return {
    model: name.replace(/^.*[/\\]/, "").replace(/\.\w+$/, ""),
    items,
    notes,
    figures: (some) => [
      ...figures("all", some),
      ...categories.flatMap((group) => figures(group, inGroup(some, group))),
    ],
  };
}

/** The relative score, and both means times ten, from means rounded to three digits as published. */
function figures(name: string, items: readonly Item[]): Figure[] {
  const mean = (place: number): number => round(sumOf(items, ({ values }) => values?.[place] ?? 0) / sizeOf(items), 3);
  const [reference, candidate] = [mean(0), mean(1)];
  const figure = (title: string, value: number): Figure => ({ name: title, value, digits: 1, items: sizeOf(items) });
  return [
    figure(name, (candidate / reference) * 100),
    figure(`${name}, reference`, reference * 10),
    figure(`${name}, candidate`, candidate * 10),
  ];
}
