// The largest logits, found on a GPU (the software adapter), beside a plain sort.
import { expect, test } from "@playwright/test";
import { openBundled } from "../support/bundle.ts";

function expected(row: readonly number[], k: number): [number, number][] {
  const order = [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b);
  return order.slice(0, k).map((place) => [place, row[place] ?? NaN]);
}

test("the largest numbers of rows of any length are those of a sort, the lower place first among equals", async ({
  page,
}) => {
  await openBundled(page, new URL("./top-k-page.ts", import.meta.url));
  await expect(page.locator("body")).toHaveText("ready");
  let state = 1;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const cases = [
    { rowLength: 64, rows: 1, skipped: 0, k: 64 },
    { rowLength: 2048, rows: 3, skipped: 2, k: 1 },
    { rowLength: 4097, rows: 2, skipped: 0, k: 40 },
    { rowLength: 50_001, rows: 5, skipped: 3, k: 64 },
    { rowLength: 20_000, rows: 1, skipped: 0, k: 1 },
  ];
  for (const { rowLength, rows, skipped, k } of cases) {
    // Whole numbers make many equals; some are out of the question.
    const numbers = Array.from({ length: rows * rowLength }, () =>
      random() < 0.1 ? -1e38 : Math.fround(Math.round(random() * 400) / 8 - 20),
    );
    const found = await page.evaluate(
      ([numbers, rowLength, skipped, k]) => window.topOf(numbers, rowLength, skipped, k),
      [numbers, rowLength, skipped, k] as const,
    );
    expect(found).toHaveLength(rows - skipped);
    for (const [i, row] of found.entries()) {
      const from = (skipped + i) * rowLength;
      expect(row).toEqual(
        expected(numbers.slice(from, from + rowLength), k).map(([at, value]) => [at, Math.fround(value)]),
      );
    }
  }
});
