// Which items of a board are shown, and in which order. Knows no page.
import type { Board, BoardItem, Mark } from "./board.ts";

export type Order = "file" | "disagreement" | "lowest";

export interface Filter {
  /** Words that an item must all have, in its question, an answer or a review. */
  readonly search: string;
  /** Undefined shows all. */
  readonly category: string | undefined;
  /** The column that `mark` is about; undefined for any. */
  readonly column: number | undefined;
  readonly mark: Mark | undefined;
  readonly order: Order;
}

export const everything: Filter = {
  search: "",
  category: undefined,
  column: undefined,
  mark: undefined,
  order: "disagreement",
};

const order: readonly Mark[] = ["right", "partly", "wrong", "better", "equal", "worse", "unread", "won", "lost", "undecided", "up", "down", "flag", "unanswered"]; // prettier-ignore

/** Marks that items of the board have, with how many have them in the filter's column. */
export function marksOf({ items }: Board, column: number | undefined): ReadonlyMap<Mark, number> {
  const counts = new Map<Mark, number>();
  for (const item of items)
    for (const mark of new Set(markSets(item, column).flatMap((set) => [...set])))
      counts.set(mark, (counts.get(mark) ?? 0) + 1);
  return new Map(order.flatMap((mark) => (counts.has(mark) ? [[mark, counts.get(mark) ?? 0]] : [])));
}

function markSets(item: BoardItem, column: number | undefined): ReadonlySet<Mark>[] {
  if (column === undefined) return [item.marks, ...item.answers.flatMap((answer) => answer?.marks ?? [])];
  const answer = item.answers[column];
  return answer ? [answer.marks] : [];
}

/** The items that the filter lets through, in its order; those that are equal in it stay in the files' order. */
export function filterItems(board: Board, filter: Filter): readonly BoardItem[] {
  const words = filter.search.toLowerCase().split(/\s+/).filter((word) => word !== ""); // prettier-ignore
  const shown = board.items.filter(
    (item) =>
      (filter.category === undefined || item.category === filter.category) &&
      (filter.column === undefined || item.answers[filter.column] !== undefined) &&
      (filter.mark === undefined || hasMark(item, filter.column, filter.mark)) &&
      words.every((word) => textOf(item).includes(word)),
  );
  if (filter.order === "file") return shown;
  const { column } = filter;
  const key = filter.order === "lowest" ? (item: BoardItem) => lowest(item, column) : (item: BoardItem) => -item.disagreement; // prettier-ignore
  return shown.toSorted((a, b) => key(a) - key(b) || a.place - b.place);
}

const hasMark = (item: BoardItem, column: number | undefined, mark: Mark): boolean =>
  markSets(item, column).some((set) => set.has(mark));

/** The lowest score of the column, or of any; the judge's scale, on which right is 10. Items without a score come last. */
function lowest(item: BoardItem, column: number | undefined): number {
  const answers = column === undefined ? item.answers : [item.answers[column]];
  const own = answers.flatMap((answer) => answer?.score ?? (answer?.right === undefined ? [] : 10 * answer.right));
  const unsure = column === undefined ? item.reviews.filter(({ columns }) => columns[1] === undefined).map(({ scores }) => scores[1]) : []; // prettier-ignore
  return Math.min(1000, ...own, ...unsure);
}

const texts = new WeakMap<BoardItem, string>();

/** All that can be searched, in lower case. */
function textOf(item: BoardItem): string {
  const known = texts.get(item);
  if (known !== undefined) return known;
  const { id, text, picture, references, answers, reviews } = item;
  const path = picture?.kind === "file" ? [picture.path] : [];
  const said = answers.flatMap((answer) => answer?.text ?? []);
  const all = [id, text, ...path, ...references, ...said, ...reviews.map(({ content }) => content)];
  const made = all.join("\n").toLowerCase();
  texts.set(item, made);
  return made;
}
