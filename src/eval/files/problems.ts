// What is wrong with a file of questions, answers or reviews, as data and as a sentence with counts. The page says the same in other languages.

/** `file` is the file's name, `first` the number of the first such line. */
export type FileProblem =
  | { readonly kind: "cut"; readonly file: string }
  | { readonly kind: "broken"; readonly file: string; readonly count: number; readonly first: number }
  | { readonly kind: "no-answer-fields"; readonly file: string; readonly count: number; readonly first: number }
  | { readonly kind: "not-asked"; readonly file: string; readonly count: number; readonly reason: string }
  | { readonly kind: "no-scores"; readonly file: string; readonly count: number };

const sentences: { readonly [Kind in FileProblem["kind"]]: (problem: Extract<FileProblem, { kind: Kind }>) => string } =
  {
    cut: ({ file }) => `The last line of ${file} is cut off and left out.`,
    broken: ({ file, count: n, first }) =>
      `${count(n, "line")} of ${file} ${isAre(n)} no JSON (the first is line ${first}) and left out.`,
    "no-answer-fields": ({ file, count: n, first }) =>
      `${count(n, "line")} of ${file} ${n === 1 ? "has" : "have"} no question_id or no text (the first is line ${first}) and ${isAre(n)} left out.`,
    "not-asked": ({ file, count: n, reason }) =>
      `${count(n, "question")} of ${file} could not be asked (${reason}); the answer is empty.`,
    "no-scores": ({ file, count: n }) =>
      `${count(n, "line")} of ${file} ${n === 1 ? "has" : "have"} no two scores and ${isAre(n)} left out.`,
  };

/** The problem in English. */
export function problemSentence(problem: FileProblem): string {
  const say = sentences[problem.kind] as (problem: FileProblem) => string;
  return say(problem);
}

/** "1 line", "3 lines". */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** "is" or "are". */
export const isAre = (number: number): string => (number === 1 ? "is" : "are");
