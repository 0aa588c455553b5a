// The page that shows answers side by side: what is open, the list of questions with its filters, and the question that is chosen.
//   data-testid="review-empty", "review-refusals", "review-remarks"
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Theme } from "#chat/preferences.ts";
import type { GivenFile } from "#eval/files/given-files.ts";
import { makeBoard } from "#review/board.ts";
import { everything, filterItems, type Filter } from "#review/filter.ts";
import { PageHeader } from "#ui/frame/PageHeader.tsx";
import { useDrop } from "#ui/frame/use-given-files.ts";
import { WindowedList } from "#ui/frame/WindowedList.tsx";
import { useTheme } from "#ui/parts/use-theme.ts";
import { Figures } from "./Figures.tsx";
import { Filters } from "./Filters.tsx";
import { OpenFiles, Refusals, Remarks } from "./OpenFiles.tsx";
import { QuestionRow } from "./QuestionRow.tsx";
import { QuestionView } from "./QuestionView.tsx";
import { ReviewTextsContext, type reviewLanguages } from "./review-texts.ts";
import { useOpened } from "./use-opened.ts";
import { usePaging } from "./use-paging.ts";
import { Welcome } from "./Welcome.tsx";

interface ReviewProps {
  readonly theme: Theme;
  readonly texts: (typeof reviewLanguages)[keyof typeof reviewLanguages];
  /** The votes that this browser keeps, as a file; undefined without any. */
  readonly ownVotes: { readonly file: GivenFile; readonly count: number } | undefined;
  /** Opened at once. */
  readonly first: readonly GivenFile[];
}

const rowHeight = 58;
/** As in review.css. */
const narrow = "(max-width: 56rem)";

/** Longer than most functions: it creates the state that the list, the filters and the question beside them share. */
export function Review({ theme, texts: t, ownVotes, first }: ReviewProps): JSX.Element {
  useTheme(theme);
  const open = useOpened();
  const over = useDrop(open.give);
  useEffect(() => {
    if (first.length > 0) open.give(first);
  }, []);
  const board = useMemo(() => makeBoard(open.opened), [open.opened]);
  const [filter, setFilter] = useState<Filter>(everything);
  const shown = useMemo(() => filterItems(board, filter), [board, filter]);
  // Until one is chosen, the first that is shown.
  const [place, setPlace] = useState<number>();
  const found = shown.findIndex((item) => item.place === place);
  const chosen = found < 0 && shown.length > 0 ? 0 : found;
  const item = shown[chosen];
  const choose = (index: number): void => setPlace(shown[index]?.place ?? place);
  const search = useRef<HTMLInputElement>(null);
  const view = useRef<HTMLElement>(null);
  usePaging({ move: (step) => choose(Math.min(Math.max(chosen + step, 0), shown.length - 1)), search });
  const isEmpty = open.opened.length === 0 && open.pictures.size === 0;
  return (
    <ReviewTextsContext.Provider value={t}>
      <PageHeader title={t.title} toChat={t.toChat} />
      <main class={isEmpty ? "review review-empty" : "review"}>
        {open.busy && (
          <p role="status" class="review-busy">
            {t.opening}
          </p>
        )}
        {isEmpty ? (
          <Welcome onGiven={open.give} ownVotes={ownVotes} refusals={open.refusals} />
        ) : (
          <>
            <div class="review-side">
              <OpenFiles open={open} />
              <Refusals refusals={open.refusals} />
              <Remarks board={board} pictures={open.pictures} />
              <Filters
                board={board}
                filter={filter}
                search={search}
                onChange={(part) => {
                  // Two changes may come before the page is drawn again.
                  setFilter((before) => ({ ...before, ...part }));
                  // A new order begins at its top.
                  if (part.order !== undefined) setPlace(filterItems(board, { ...filter, ...part })[0]?.place);
                }}
              />
              <p class="review-count" role="status">
                {t.shown(shown.length, board.items.length)}
              </p>
              {shown.length > 0 && (
                <WindowedList
                  label={t.list}
                  items={shown}
                  keyOf={(one) => one.place}
                  chosen={chosen}
                  rowHeight={rowHeight}
                  onChoose={(index) => {
                    choose(index);
                    // On a phone the question stands above the list, out of sight.
                    if (matchMedia(narrow).matches) view.current?.scrollIntoView({ block: "start" });
                  }}
                  row={(one) => <QuestionRow item={one} board={board} />}
                />
              )}
              <Figures board={board} shown={shown} />
            </div>
            {item === undefined ? (
              <p class="review-none">{board.items.length === 0 ? t.noQuestions : t.none}</p>
            ) : (
              <QuestionView
                view={view}
                item={item}
                board={board}
                pictures={open.pictures}
                position={{ index: chosen, count: shown.length, onMove: (step) => choose(chosen + step) }}
              />
            )}
          </>
        )}
      </main>
      {over && (
        <div class="drop-veil" aria-hidden="true">
          {t.dropOverlay}
        </div>
      )}
    </ReviewTextsContext.Provider>
  );
}
