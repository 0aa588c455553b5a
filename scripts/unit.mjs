// The unit and model tests, their count and their times.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, runToolBeside } from "./ensure.mjs";
import { unitTimes } from "./slowest.mjs";

/** { passed, failed, skipped, times } of the tests that run in Node; `vitest.config.ts` writes the report. */
export async function runUnitTests() {
  const file = join(root, ".cache", "unit.json");
  rmSync(file, { force: true });
  const status = await runToolBeside("vitest", ["run"]);
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0, times: [] };
  const report = JSON.parse(readFileSync(file, "utf8"));
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = report;
  // A file that can't be loaded fails the run without a failing test.
  const failed = Math.max(numFailedTests, status === 0 ? 0 : 1);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests, times: unitTimes(report, root) };
}
