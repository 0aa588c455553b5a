// The filters of the list: words, category, model, result, and the order.
import type { JSX, RefObject } from "preact";
import { useMemo } from "preact/hooks";
import type { Board, Mark } from "#review/board.ts";
import { marksOf, type Filter, type Order } from "#review/filter.ts";
import { Select } from "#ui/frame/Select.tsx";
import { useReviewTexts } from "./review-texts.ts";

interface FiltersProps {
  readonly board: Board;
  readonly filter: Filter;
  readonly search: RefObject<HTMLInputElement | null>;
  readonly onChange: (part: Partial<Filter>) => void;
}

const orders: readonly Order[] = ["disagreement", "lowest", "file"];

export function Filters({ board, filter, search, onChange: change }: FiltersProps): JSX.Element {
  const t = useReviewTexts();
  const marks = useMemo(() => marksOf(board, filter.column), [board, filter.column]);
  const count = (value: number): string => value.toLocaleString(t.tag);
  const markOptions = [...marks].map(([mark, number]) => [mark, `${t.marks[mark]} (${count(number)})`] as const);
  // The mark stays to be seen, and to be changed, where no item of the column has it.
  if (filter.mark !== undefined && !marks.has(filter.mark)) markOptions.push([filter.mark, `${t.marks[filter.mark]} (0)`]); // prettier-ignore
  return (
    <div class="review-filters">
      <label class="search-field">
        <span>{t.search}</span>
        <input
          ref={search}
          type="search"
          placeholder={t.searchHint}
          value={filter.search}
          onInput={(event) => change({ search: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key !== "Escape" && event.key !== "Enter") return;
            // Browsers clear the field on Escape by themselves, some without an input event.
            event.preventDefault();
            if (event.key === "Escape") change({ search: "" });
            event.currentTarget.blur();
          }}
        />
      </label>
      {board.categories.length > 0 && (
        <Select
          label={t.category}
          value={filter.category ?? ""}
          options={[["", t.all], ...board.categories.map((category) => [category, category] as const)]}
          onChange={(category) => change({ category: category === "" ? undefined : category })}
        />
      )}
      {board.columns.length > 1 && (
        <Select
          label={t.model}
          value={filter.column === undefined ? "" : String(filter.column)}
          options={[["", t.anyModel], ...board.columns.map(({ name }, i) => [String(i), name] as const)]}
          onChange={(column) => change({ column: column === "" ? undefined : Number(column) })}
        />
      )}
      {markOptions.length > 0 && (
        <Select<Mark | "">
          label={t.result}
          value={filter.mark ?? ""}
          options={[["", t.all], ...markOptions]}
          onChange={(mark) => change({ mark: mark === "" ? undefined : mark })}
        />
      )}
      <Select
        label={t.order}
        value={filter.order}
        options={orders.map((order) => [order, t.orders[order]] as const)}
        onChange={(order) => change({ order })}
      />
    </div>
  );
}
