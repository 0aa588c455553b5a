// English, of the page that shows answers side by side. Apart from the chat's texts, so that neither page loads the other's.
import { problemSentence } from "#eval/files/problems.ts";
import type { BoardProblem, Mark } from "#review/board.ts";
import type { OpenedKind } from "#review/open.ts";

const plural = (count: number, one: string, many: string): string => (count === 1 ? one : many);
const number = (value: number): string => value.toLocaleString("en");

const problem = (one: BoardProblem): string => {
  switch (one.kind) {
    case "missing-answers":
      return `${number(one.count)} of ${plural(one.of, "1 question", `${number(one.of)} questions`)} ${plural(one.count, "has", "have")} no answer in ${one.file}.`;
    case "unknown-answers":
      return one.count === one.of
        ? `None of the ${number(one.of)} answers in ${one.file} belongs to a question here. Is it an answer file of another benchmark?`
        : `${plural(one.count, "1 answer", `${number(one.count)} answers`)} in ${one.file} ${plural(one.count, "belongs", "belong")} to no question here and ${plural(one.count, "is", "are")} left out.`;
    case "repeated-answers":
      return `${plural(one.count, "1 answer", `${number(one.count)} answers`)} in ${one.file} ${plural(one.count, "repeats a question’s id", "repeat ids of questions")}; the last answer to a question is shown.`;
    case "unknown-reviews":
      return `${number(one.count)} of ${plural(one.of, "1 review", `${number(one.of)} reviews`)} in ${one.file} ${plural(one.count, "belongs", "belong")} to no question here and ${plural(one.count, "is", "are")} left out.`;
    default:
      return problemSentence(one);
  }
};

const marks: Readonly<Record<Mark, string>> = {
  right: "Right",
  partly: "Partly right",
  wrong: "Wrong",
  unanswered: "No answer",
  better: "Better than the reference",
  equal: "As good as the reference",
  worse: "Worse than the reference",
  unread: "Scores not readable",
  won: "Chosen as best",
  lost: "Not chosen",
  undecided: "Tie, or none is good",
  up: "Rated good",
  down: "Rated bad",
  flag: "Flagged",
};

const kinds: Readonly<Record<OpenedKind, string>> = {
  questions: "questions",
  answers: "answers",
  reviews: "reviews",
  votes: "votes",
  unknown: "unknown",
};

export const review = {
  tag: "en",
  title: "Answers side by side",
  lead: "Open questions, pictures, answers of several models, and a judge's reviews.",
  drop: "Drop files or a folder here",
  dropOverlay: "Drop it anywhere",
  kindsTitle: "What opens here",
  opens: [
    "Question files: LLaVA's question lines, MMBench's tables, ScienceQA, Q-Bench",
    "Answer files (.jsonl) of llava eval run or of LLaVA, one for each model",
    "Reviews of llava eval review",
    "Votes and flags that the chat exports",
    "Pictures, or the folder they are in",
  ],
  chooseFiles: "Choose files",
  chooseFolder: "Choose a folder",
  ownVotes: (count: number) => `Open this browser's ${plural(count, "vote", `${number(count)} votes`)}`,
  private: "Nothing leaves this device.",
  toChat: "To the chat",
  opening: "Opening…",
  files: "Open files",
  kinds,
  close: (name: string) => `Close ${name}`,
  closeAll: "Close all",
  pictures: (count: number) => plural(count, "1 picture", `${number(count)} pictures`),
  notOpened: (name: string) =>
    `${name} isn't a file of questions, answers, reviews, or votes. Answer files have lines such as {"question_id": 1, "text": "yes"}.`,
  notRead: (name: string) => `${name} couldn't be read. Copy it to this device, then open it again.`,
  damaged: (name: string, detail: string) => `${name}: ${detail}`,
  remarks: (count: number) => plural(count, "1 remark about the files", `${number(count)} remarks about the files`),
  noQuestions: "Nothing to show yet: open a file of answers, questions, or reviews.",
  problem,
  picturesMissing: (count: number, of: number, name: string) =>
    `${number(count)} of ${plural(of, "1 picture", `${number(of)} pictures`)} aren't among the files that were opened, for example ${name}.`,
  search: "Search",
  searchHint: "Questions, answers, reviews",
  category: "Category",
  model: "Model",
  result: "Result",
  order: "Order",
  all: "All",
  anyModel: "Any model",
  orders: { file: "As in the file", disagreement: "Disagreement first", lowest: "Lowest score first" },
  marks,
  list: "Questions",
  shown: (shown: number, all: number) =>
    shown === all
      ? plural(all, "1 question", `${number(all)} questions`)
      : `${number(shown)} of ${plural(all, "1 question", `${number(all)} questions`)}`,
  none: "No question fits. Change the filters or the search.",
  previous: "Previous question",
  next: "Next question",
  position: (index: number, count: number) => `${number(index)} of ${number(count)}`,
  keys: "Keys: J and K or the arrows page, / searches",
  question: (id: string) => `Question ${id}`,
  picture: (name: string) => `Picture ${name}`,
  noPicture: (name: string) => `${name} isn't among the opened files.`,
  pictureBroken: (name: string) => `${name} can't be shown: it is damaged, or its format isn't known here.`,
  earlier: "Said before",
  reference: "Right answer",
  references: "Right answers",
  answers: "Answers",
  noAnswer: "No answer in this file.",
  emptyAnswer: "The answer is empty.",
  notAsked: (reason: string) => `Not asked: ${reason}`,
  score: (value: string) => `Score ${value}`,
  reviews: "Reviews",
  reviewScores: (reference: string, candidate: string) => `Reference ${reference}, candidate ${candidate}`,
  swapped: "Candidate shown first",
  unread: "The scores can't be read from the first line.",
  summary: "Figures",
  answered: "Answered",
  rightShare: "Right",
  meanScore: "Judge's mean",
  relative: "Of the reference",
  ofShown: "Of the questions shown.",
};

export type ReviewTexts = typeof review;
