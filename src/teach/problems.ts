// What is wrong with examples, before any is looked at by the model.
import { wordsOf } from "./split.ts";
import type { TeachExample, TeachProblem } from "./types.ts";

/** Fewer pictures than these teach nothing that holds for others. */
const leastPictures = 4;

/** Everything that can be told from questions and answers alone. */
export function problemsOf(examples: readonly TeachExample[]): TeachProblem[] {
  const problems: TeachProblem[] = [];
  if (examples.length < leastPictures) {
    problems.push({ kind: "too-few-pictures", pictures: examples.length, least: leastPictures });
  }
  for (const { id, turns } of examples) {
    const filled = turns.every(({ question, answer }) => question.trim() !== "" && answer.trim() !== "");
    if (turns.length === 0 || !filled) problems.push({ kind: "empty-text", id });
  }
  return problems;
}

/** Pictures with the same bytes that get two answers to one question. */
export async function contradictionsOf(
  examples: readonly TeachExample[],
  hashOf: (picture: Blob) => Promise<string>,
): Promise<TeachProblem[]> {
  const asked = new Map<string, { readonly id: string; readonly answer: string }>();
  const problems: TeachProblem[] = [];
  for (const { id, picture, turns } of examples) {
    const [turn] = turns;
    if (!turn) continue;
    const key = `${await hashOf(picture)} ${wordsOf(turn.question)}`;
    const before = asked.get(key);
    if (before && before.answer !== wordsOf(turn.answer)) {
      problems.push({ kind: "contradiction", ids: [before.id, id], question: turn.question });
    }
    asked.set(key, { id, answer: wordsOf(turn.answer) });
  }
  return problems;
}

/** Answers with a single picture, in the person's own words. */
export function singlesOf(groups: ReadonlyMap<string, readonly TeachExample[]>): string[] {
  return [...groups.values()].flatMap((group) => (group.length === 1 ? (group[0]?.turns[0]?.answer ?? []) : []));
}
