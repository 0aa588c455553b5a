// A list of any length, of which only the rows in sight are drawn. One row is chosen; the arrows, Home and End move the choice.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface WindowedListProps<T> {
  readonly label: string;
  readonly items: readonly T[];
  readonly keyOf: (item: T, index: number) => string | number;
  readonly chosen: number;
  readonly rowHeight: number;
  readonly onChoose: (index: number) => void;
  readonly row: (item: T, index: number) => ComponentChildren;
}

const px = (length: number): string => `${length}px`;

/** Rows that are drawn above and below those in sight. */
const spare = 6;

export function WindowedList<T>(props: WindowedListProps<T>): JSX.Element {
  const { label, items, keyOf, chosen, rowHeight, onChoose, row } = props;
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 600 });
  const look = (): void => {
    const { scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    setSight({ top: scrollTop, height: clientHeight });
  };
  useEffect(() => {
    if (!box.current) return undefined;
    const observer = new ResizeObserver(look);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    // The chosen row is kept in sight, and the page where it is.
    const { current } = box;
    if (!current || chosen < 0) return;
    const top = chosen * rowHeight;
    if (top < current.scrollTop) current.scrollTop = top;
    else if (top + rowHeight > current.scrollTop + current.clientHeight)
      current.scrollTop = top + rowHeight - current.clientHeight;
  }, [chosen, items]);
  const first = Math.max(0, Math.floor(sight.top / rowHeight) - spare);
  const end = Math.min(items.length, Math.ceil((sight.top + sight.height) / rowHeight) + spare);
  const idOf = (index: number): string => `row-${index}`;
  const moves: Readonly<Record<string, number>> = { ArrowUp: chosen - 1, ArrowDown: chosen + 1, Home: 0, End: items.length - 1 }; // prettier-ignore
  return (
    <div
      ref={box}
      class="windowed"
      role="listbox"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={chosen >= first && chosen < end ? idOf(chosen) : undefined}
      onScroll={look}
      onKeyDown={(event) => {
        const to = moves[event.key];
        if (to === undefined) return;
        event.preventDefault();
        onChoose(Math.min(Math.max(to, 0), items.length - 1));
      }}
    >
      <div role="presentation" class="windowed-all" style={{ height: px(items.length * rowHeight) }}>
        {items.slice(first, end).map((item, i) => {
          const index = first + i;
          return (
            <div
              key={keyOf(item, index)}
              id={idOf(index)}
              role="option"
              class="windowed-row"
              aria-selected={index === chosen}
              aria-posinset={index + 1}
              aria-setsize={items.length}
              style={{ top: px(index * rowHeight), height: px(rowHeight) }}
              onClick={() => onChoose(index)}
            >
              {row(item, index)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
