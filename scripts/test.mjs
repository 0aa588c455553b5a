// npm test: types, lint, format, unit and model tests, browser tests. --long runs the long counts as well.
import { readFileSync } from "node:fs";
import { runChecks } from "./check.mjs";
import { runE2e } from "./e2e.mjs";
import { ensureInstalled, root, runTool } from "./ensure.mjs";

if (process.argv.includes("--long")) process.env.LLAVA_LONG_TESTS = "1";
await ensureInstalled();
const startedAt = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };

console.log("\n== Types, lint, format");
const checks = runChecks();
total.passed += checks.passed;
total.failed += checks.failed.length;

console.log("\n== Unit and model tests");
const unitStatus = runTool("vitest", ["run"]);
const unit = JSON.parse(readFileSync(`${root}.cache/unit.json`, "utf8"));
total.passed += unit.numPassedTests;
total.failed += Math.max(unit.numFailedTests, unitStatus === 0 ? 0 : 1);
total.skipped += unit.numPendingTests;

console.log("\n== Browser tests");
const e2e = await runE2e();
total.passed += e2e.passed;
total.failed += e2e.failed;
total.skipped += e2e.skipped;

console.log(`\n${Math.round((Date.now() - startedAt) / 1000)} s after the install`);
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exitCode = total.failed === 0 ? 0 : 1;
