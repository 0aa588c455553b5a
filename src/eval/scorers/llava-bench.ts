// LLaVA-Bench (in the wild) from a judge's reviews: the candidate's mean score in percent of the reference's, by category.
import { stemOf } from "#eval/files/answers.ts";
import { count } from "#eval/files/problems.ts";
import { round } from "#eval/files/python.ts";
import { isRead, parseReviews } from "#eval/files/reviews.ts";
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

export const llavaBench: Scorer = {
  id: "llava-bench",
  title: "LLaVA-Bench",
  folders: ["llava-bench-in-the-wild"],
  repairs: ["a review whose scores could not be read (−1 and −1) is left out of the means"],
  load: () => Promise.resolve({ score: scoreReviews }),
};

/** Scores review lines; throws a sentence where there are none. */
export function scoreReviews({ name, text }: GivenFile, strict: boolean): ModelOutcome {
  const { reviews, notes: fileNotes } = parseReviews(text, name);
  const notes = [...fileNotes];
  const unread = reviews.filter((review) => !isRead(review)).length;
  if (unread > 0) notes.push(`The scores of ${count(unread, "review")} of ${reviews.length} could not be read from the judge's words: ${strict ? "left out" : "−1 counts in the means, as published"}.`); // prettier-ignore
  const items = reviews
    .filter((review) => !strict || isRead(review))
    .map(({ id, category, scores }): Item => ({ id, groups: category === undefined ? [] : [category], score: scores[1] / 10, values: scores })); // prettier-ignore
  const categories = groupsOf(items).sort();
  return {
    model: stemOf(name),
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
