import { expect, test } from "vitest";
import { multiplyOnRuntime } from "./multiply.ts";

test("the runtime's product is that of the textbook, in more than one size", async () => {
  for (const [rows, rank, cols] of [
    [3, 2, 5],
    [1, 7, 4],
  ] as const) {
    const up = new Float32Array(rows * rank).map((_, i) => (i % 5) - 2);
    const down = new Float32Array(rank * cols).map((_, i) => (i % 7) - 3);
    const expected = Array.from({ length: rows * cols }, (_, i) => {
      const [row, col] = [Math.floor(i / cols), i % cols];
      return Array.from({ length: rank }, (_, k) => (up[row * rank + k] ?? NaN) * (down[k * cols + col] ?? NaN)).reduce(
        (sum, value) => sum + value,
      );
    });
    expect([...(await multiplyOnRuntime(up, down, rows, rank, cols))]).toEqual(expected);
  }
});
