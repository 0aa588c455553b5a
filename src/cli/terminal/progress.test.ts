import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createProgress, timeText } from "./progress.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What is written while a task of 100 MB runs at 10 MB/s. */
function written(isTTY: boolean): string[] {
  const lines: string[] = [];
  const progress = createProgress({ isTTY, write: (text) => lines.push(text) });
  for (let megabytes = 1; megabytes <= 100; megabytes++) {
    vi.advanceTimersByTime(100);
    progress.update({ file: "a.safetensors", written: megabytes * 1e6, total: 100e6 });
  }
  progress.end();
  return lines;
}

test("on a terminal one line draws itself over: bar, share, rate, time left and file", () => {
  const lines = written(true);
  expect(lines).toHaveLength(101);
  expect(lines[49]).toBe(
    `\r\u001b[K${"█".repeat(12)}${"░".repeat(12)}  50 % 50 of 100 MB, 10 MB/s, 5 s left  a.safetensors`,
  );
  expect(lines[99]).toMatch(/█{24} 100 % 100 of 100 MB, 10 MB\/s, 0 s left/);
  expect(lines[100]).toBe("\n");
});

test("elsewhere a plain line comes every five seconds and at the end", () => {
  expect(written(false)).toEqual([
    "50 of 100 MB, 10 MB/s, 5 s left  a.safetensors\n",
    "100 of 100 MB, 10 MB/s, 0 s left  a.safetensors\n",
  ]);
});

test("times are told in the units people would use", () => {
  expect([0.4, 59, 200, 7500].map(timeText)).toEqual(["0 s", "59 s", "3 min 20 s", "2 h 5 min"]);
});
