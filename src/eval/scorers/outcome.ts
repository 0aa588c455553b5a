// What scoring gives: an item per question, figures over any choice of items, and sentences about what does not fit. Figures are computed from
// items, so that a bootstrap can draw them again.
import { parseAnswers, type AnswerFile } from "#eval/files/answers.ts";
import type { DataFiles } from "#eval/files/data-files.ts";

/** One question (or, where a benchmark scores them together, the questions about one picture) with its score. */
export interface Item {
  readonly id: string;
  /** What it is counted in beside the whole: categories, types. */
  readonly groups: readonly string[];
  /** Most often 0 or 1. */
  readonly score: number;
  /** What else a figure needs. */
  readonly values?: readonly number[];
  /** How often it counts, where a bootstrap has drawn it several times; default 1. */
  readonly weight?: number;
}

/** A sum over items, each as often as it counts. */
export function sumOf(items: readonly Item[], valueOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + valueOf(item) * (item.weight ?? 1), 0);
}

/** How many items there are, each as often as it counts. */
export function sizeOf(items: readonly Item[]): number {
  return sumOf(items, () => 1);
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  /** As many as the original prints. */
  readonly digits: number;
  readonly unit?: "%";
  /** Items that it is computed from. */
  readonly items: number;
}

export interface Outcome {
  readonly items: readonly Item[];
  /** In the order in which they are shown; the first is the one that is published. */
  readonly figures: (items: readonly Item[]) => Figure[];
  /** Sentences, with counts, about answers and labels that do not fit. */
  readonly notes: readonly string[];
}

/** Scores one benchmark. */
export interface Scorer {
  readonly id: string;
  readonly title: string;
  /** What LLaVA calls the benchmark's folder. */
  readonly folders: readonly string[];
  /** What `strict` does differently from the published scorer. */
  readonly repairs: readonly string[];
  /** Reads the labels; throws a sentence where they are missing. */
  load(data: DataFiles): Promise<Labelled>;
}

/** A file to score. */
export interface GivenFile {
  readonly name: string;
  readonly text: string;
}

/** A benchmark's labels, ready to score answers. Throws a sentence where the answers are of another benchmark. */
export interface Labelled {
  score(file: GivenFile, strict: boolean): ModelOutcome;
}

/** An outcome and whose it is. */
export interface ModelOutcome extends Outcome {
  readonly model: string;
}

/** Labels for files of answers. */
export function forAnswers(score: (answers: AnswerFile, strict: boolean) => Outcome): Labelled {
  return {
    score(file, strict) {
      const answers = parseAnswers(file.text, file.name);
      return { model: answers.model, ...score(answers, strict) };
    },
  };
}

/** Mean of the items' scores in percent; NaN without items. */
export function meanPercent(items: readonly Item[]): number {
  return (sumOf(items, ({ score }) => score) / sizeOf(items)) * 100;
}

/** Items of a group. */
export function inGroup(items: readonly Item[], group: string): Item[] {
  return items.filter(({ groups }) => groups.includes(group));
}

/** Groups in the order in which they appear. */
export function groupsOf(items: readonly Item[]): string[] {
  return [...new Set(items.flatMap(({ groups }) => groups))];
}

/** The mean of all items as a figure in percent, and that of each group. */
export function percentFigures(
  items: readonly Item[],
  name: string,
  groups: readonly string[],
  titleOf: (group: string) => string = (group) => group,
): Figure[] {
  const figure = (title: string, some: readonly Item[]): Figure => ({
    name: title,
    value: meanPercent(some),
    digits: 2,
    unit: "%",
    items: sizeOf(some),
  });
  return [figure(name, items), ...groups.map((group) => figure(titleOf(group), inGroup(items, group)))];
}
