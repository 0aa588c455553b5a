// Brings what was opened together: a question each with its answers by model, its reviews, and the marks it can be filtered by. Says with counts
// what did not pair. Knows no page.
import type { PictureRef, Question } from "#eval/benchmarks/benchmark.ts";
import type { AnswerFile } from "#eval/files/answers.ts";
import type { FileProblem } from "#eval/files/problems.ts";
import { isRead, type Review } from "#eval/files/reviews.ts";
import type { Opened } from "./open.ts";
import { distance, rightness } from "./rightness.ts";
import type { JudgedQuestion, Opinion } from "./votes.ts";

/** What an answer, or its question, can be found by. */
export type Mark =
  | "right"
  | "partly"
  | "wrong"
  | "unanswered"
  | "better"
  | "equal"
  | "worse"
  | "unread"
  | "won"
  | "lost"
  | "undecided"
  | Opinion;

export interface BoardAnswer {
  readonly text: string;
  /** Why there is no answer. */
  readonly error?: string | undefined;
  /** From 0 to 1, where right answers are known. */
  readonly right?: number;
  /** The mean of a judge's scores from 1 to 10. */
  readonly score?: number;
  readonly marks: ReadonlySet<Mark>;
}

export interface BoardReview extends Review {
  readonly file: string;
  /** Columns of the two answers, where answer ids tell them. */
  readonly columns: readonly [reference: number | undefined, candidate: number | undefined];
}

export interface BoardItem {
  /** Place among all items, which is its identity. */
  readonly place: number;
  readonly id: string;
  readonly text: string;
  readonly earlier: readonly string[];
  readonly picture?: PictureRef | undefined;
  /** "" where there is none. */
  readonly category: string;
  readonly references: readonly string[];
  /** By column; undefined where the column's file has no answer. */
  readonly answers: readonly (BoardAnswer | undefined)[];
  readonly reviews: readonly BoardReview[];
  readonly verdict?: JudgedQuestion["verdict"];
  /** Of the item as a whole, such as a tie or a review whose answers are not here. */
  readonly marks: ReadonlySet<Mark>;
  /** From 0 to 1 and more: how far the models are apart, first in scores, then in words. */
  readonly disagreement: number;
}

interface Column {
  readonly name: string;
  /** Whether it comes from an answer file, so that a missing answer means something. */
  readonly isFile: boolean;
}

/** What did not pair. */
export type BoardProblem =
  | FileProblem
  | { readonly kind: "missing-answers"; readonly file: string; readonly count: number; readonly of: number }
  | { readonly kind: "unknown-answers"; readonly file: string; readonly count: number; readonly of: number }
  | { readonly kind: "repeated-answers"; readonly file: string; readonly count: number }
  | { readonly kind: "unknown-reviews"; readonly file: string; readonly count: number; readonly of: number };

export interface Board {
  readonly items: readonly BoardItem[];
  readonly columns: readonly Column[];
  /** In the order in which they appear. */
  readonly categories: readonly string[];
  readonly problems: readonly BoardProblem[];
}

interface DraftAnswer {
  readonly text: string;
  readonly error?: string | undefined;
  readonly answerId?: string | undefined;
}

/** An item while it is put together. */
interface Draft {
  readonly id: string;
  readonly text: string;
  readonly prompt: string;
  readonly earlier?: readonly string[];
  readonly picture?: PictureRef | undefined;
  category: string;
  readonly references: readonly string[];
  readonly answers: (DraftAnswer | undefined)[];
  readonly reviews: BoardReview[];
  readonly verdict?: JudgedQuestion["verdict"];
  readonly opinion?: Opinion | undefined;
}

/** The board of all that is open, in the order in which it was opened. */
export function makeBoard(opened: readonly Opened[]): Board {
  const problems: BoardProblem[] = [];
  const drafts: Draft[] = [];
  const byId = new Map<string, Draft[]>();
  const add = (draft: Draft): Draft => {
    drafts.push(draft);
    const same = byId.get(draft.id);
    if (same) same.push(draft);
    else byId.set(draft.id, [draft]);
    return draft;
  };
  const questions = opened.flatMap((one) => (one.kind === "questions" ? one.questions : []));
  for (const question of questions) add(fromQuestion(question));
  const columns: Column[] = [];
  const files = opened.flatMap((one) => (one.kind === "answers" ? [one.file] : []));
  for (const file of files) {
    const column = columns.push({ name: nameFor(file, files), isFile: true }) - 1;
    problems.push(
      ...file.problems,
      ...placeAnswers(file, column, byId, questions.length > 0 ? undefined : add, drafts),
    );
  }
  for (const one of opened) {
    if (one.kind !== "reviews") continue;
    problems.push(...one.file.problems);
    let unknown = 0;
    for (const review of one.file.reviews) {
      const draft =
        byId.get(review.id)?.[0] ?? (drafts.length === 0 || byId.size === 0 ? add(fromReview(review)) : undefined);
      if (!draft) unknown++;
      else draft.reviews.push({ ...review, file: one.name, columns: columnsOf(draft, review) });
    }
    if (unknown > 0)
      problems.push({ kind: "unknown-reviews", file: one.name, count: unknown, of: one.file.reviews.length });
  }
  for (const one of opened) {
    if (one.kind !== "votes") continue;
    problems.push(...one.file.problems);
    for (const judged of one.file.questions) drafts.push(fromVote(judged, columns, drafts.length));
  }
  const items = drafts.map((draft, place) => toItem(draft, place, columns));
  const categories = [...new Set(items.map(({ category }) => category))].filter((category) => category !== "");
  return { items, columns, categories, problems };
}

function fromQuestion({ id, text, prompt, picture, category = "", references = [] }: Question): Draft {
  return { id: String(id), text, prompt, picture, category, references, answers: [], reviews: [] };
}

function fromReview({ id, category = "" }: Review): Draft {
  return { id, text: "", prompt: "", category, references: [], answers: [], reviews: [] };
}

/** A vote's models get columns by their names; a model that answered twice gets two. */
function fromVote(judged: JudgedQuestion, columns: Column[], place: number): Draft {
  const used = new Set<number>();
  const answers: Draft["answers"] = [];
  const places = judged.answers.map(({ model, text, failed }) => {
    let column = columns.findIndex(({ name, isFile }, i) => name === model && !isFile && !used.has(i));
    if (column < 0) column = columns.push({ name: model, isFile: false }) - 1;
    used.add(column);
    answers[column] = { text, ...(failed ? { error: text } : {}) };
    return column;
  });
  const { verdict, opinion, question, earlier } = judged;
  return {
    id: `#${place + 1}`,
    text: question,
    prompt: question,
    earlier,
    category: "",
    references: [],
    answers,
    reviews: [],
    ...(verdict === undefined ? {} : { verdict: typeof verdict === "number" ? (places[verdict] ?? "none") : verdict }),
    opinion,
  };
}

/** The model's name; with the file's, where two files name one model. */
function nameFor(file: AnswerFile, all: readonly AnswerFile[]): string {
  return all.filter(({ model }) => model === file.model).length > 1 ? `${file.model} (${file.name})` : file.model;
}

/** Gives each answer to its question; without a question file, `add` makes questions of the answers' prompts. */
function placeAnswers(
  file: AnswerFile,
  column: number,
  byId: ReadonlyMap<string, Draft[]>,
  add: ((draft: Draft) => Draft) | undefined,
  drafts: readonly Draft[],
): BoardProblem[] {
  let [unknown, repeated] = [0, 0];
  for (const answer of file.answers) {
    const same = byId.get(answer.id) ?? [];
    // Several questions may have one id, and each its own prompt (MME); several rounds of one have one prompt in most files.
    const sameText = same.filter(({ prompt }) => prompt === answer.prompt);
    const candidates = sameText.length > 0 ? sameText : add && same.length > 0 && answer.prompt !== "" ? [] : same;
    const found = candidates.find((draft) => draft.answers[column] === undefined) ?? candidates.at(-1);
    const draft = found ?? add?.(fromAnswer(answer.id, answer.prompt));
    if (!draft) unknown++;
    else {
      if (draft.answers[column] !== undefined) repeated++;
      draft.answers[column] = answer;
    }
  }
  const missing = drafts.filter((draft) => draft.answers[column] === undefined).length;
  const { name } = file;
  const problems: BoardProblem[] = [];
  if (unknown > 0) problems.push({ kind: "unknown-answers", file: name, count: unknown, of: file.answers.length });
  if (repeated > 0) problems.push({ kind: "repeated-answers", file: name, count: repeated });
  if (missing > 0) problems.push({ kind: "missing-answers", file: name, count: missing, of: drafts.length });
  return problems;
}

function fromAnswer(id: string, prompt: string): Draft {
  return { id, text: prompt.replace(/^<image>\n/, ""), prompt, category: "", references: [], answers: [], reviews: [] };
}

/** Columns of a review's two answers, which it names by their ids. */
function columnsOf({ answers }: Draft, { answerIds }: Review): BoardReview["columns"] {
  const place = (id: string | undefined): number | undefined => {
    const found = id === undefined ? -1 : answers.findIndex((answer) => answer?.answerId === id);
    return found < 0 ? undefined : found;
  };
  return [place(answerIds[0]), place(answerIds[1])];
}

function toItem(draft: Draft, place: number, columns: readonly Column[]): BoardItem {
  const { references, verdict, opinion, reviews } = draft;
  const marks = new Set<Mark>(opinion === undefined ? [] : [opinion]);
  if (verdict === "tie" || verdict === "none") marks.add("undecided");
  for (const review of reviews) if (review.columns[1] === undefined) marks.add(markOf(review));
  const category = draft.category === "" ? (reviews[0]?.category ?? "") : draft.category;
  const answers = columns.map(({ isFile }, column): BoardAnswer | undefined => {
    const answer = draft.answers[column];
    if (!answer) {
      if (isFile && verdict === undefined && opinion === undefined) marks.add("unanswered");
      return undefined;
    }
    return toAnswer(answer, column, draft);
  });
  const given = answers.flatMap((answer) => (answer && answer.error === undefined ? [answer] : []));
  const unsure = reviews.flatMap((review) => (isRead(review) && review.columns[1] === undefined ? review.scores : []));
  return {
    place,
    id: draft.id,
    text: draft.text,
    earlier: draft.earlier ?? [],
    picture: draft.picture,
    category,
    references,
    answers,
    reviews,
    ...(verdict === undefined ? {} : { verdict }),
    marks,
    disagreement: disagreementOf(given, unsure),
  };
}

function toAnswer({ text, error }: DraftAnswer, column: number, { references, reviews, verdict }: Draft): BoardAnswer {
  const marks = new Set<Mark>();
  const isEmpty = error !== undefined || text.trim() === "";
  if (isEmpty) marks.add("unanswered");
  // No answer is no right one, as scorers count it.
  const right = references.length === 0 ? undefined : isEmpty ? 0 : rightness(text, references);
  if (right !== undefined && !isEmpty) marks.add(right === 1 ? "right" : right === 0 ? "wrong" : "partly");
  const scores: number[] = [];
  for (const review of reviews) {
    const side = review.columns.indexOf(column);
    if (side < 0) continue;
    if (isRead(review)) scores.push(review.scores[side] ?? 0);
    if (side === 1) marks.add(markOf(review));
  }
  if (typeof verdict === "number") marks.add(verdict === column ? "won" : "lost");
  const score = scores.length === 0 ? undefined : scores.reduce((sum, one) => sum + one, 0) / scores.length;
  return { text, error, ...(right === undefined ? {} : { right }), ...(score === undefined ? {} : { score }), marks };
}

/** The candidate beside the reference. */
function markOf(review: Review): Mark {
  if (!isRead(review)) return "unread";
  const [reference, candidate] = review.scores;
  return candidate > reference ? "better" : candidate < reference ? "worse" : "equal";
}

/** Whole steps of the judge's scale, or of right and wrong, come before any distance between words, which is less than one of them. */
function disagreementOf(answers: readonly BoardAnswer[], unsure: readonly number[]): number {
  const spread = (values: readonly number[]): number =>
    values.length < 2 ? 0 : Math.max(...values) - Math.min(...values);
  const scores = [...answers.flatMap(({ score }) => score ?? []), ...unsure];
  const rights = answers.flatMap(({ right }) => right ?? []);
  return Math.max(spread(scores), 9 * spread(rights)) + 0.9 * distance(answers.map(({ text }) => text));
}
